/** The gallery: candidates over all videos, best first, playing by themselves; one click or key labels one. */

import { get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { count, plural, when } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { go } from "../core/router.js";
import { Grid } from "../parts/grid.js";
import { Flipbook, playOnHover } from "../parts/preview.js";
import { frame, watchAddress } from "../parts/shot.js";
import { PagedSource } from "../parts/sources.js";
import { complain, toast } from "../parts/toast.js";

const WORDS = { confirmed: "yes", rejected: "no", proposed: "proposed" };
const IDLE = 20_000;

export class GalleryTab {
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.labels = new Map();
    this.history = [];
    this.times = [];
    this.tally = { yes: 0, no: 0 };
    this.sending = Promise.resolve();
    this.book = new Flipbook();
    this.unbind = bind("Gallery", [
      { keys: "y|Space", does: "Yes, this is it", run: () => this.#onCard((index) => this.#label(index, "confirmed", true)) },
      { keys: "n|x", does: "No", run: () => this.#onCard((index) => this.#label(index, "rejected", true)) },
      { keys: "c", does: "Clear the label", run: () => this.#onCard((index) => this.#label(index, null)) },
      { keys: "u", does: "Undo", run: () => this.#undo() },
      { keys: "o", does: "Open the video there", run: () => this.#onCard((index) => go(watchAddress(this.source.at(index)))) },
      { keys: "g g", does: "Rank again with the new labels", run: () => this.#open() },
      { keys: "j", does: "To the candidates", run: () => this.grid?.focus(this.grid.focused) },
    ]);
    this.#open();
  }

  close() {
    this.closed = true;
    this.unbind();
    this.book.close();
    this.grid?.close();
  }

  async #open() {
    this.order = null;
    if (!this.view.instance.confirmed) {
      fill(this.root, this.#empty("No candidates yet", "They are ranked by how much they look like the confirmed examples, and there is none. Drop a photo here, or name it in a video."));
      return;
    }
    const source = new PagedSource(async (offset, limit, signal) => {
      const answer = await get(`/instances/${this.view.id}/candidates`, { offset, limit, unlabelled: "true", order: this.order }, signal);
      this.order = answer.order;
      return answer;
    }, 60);
    let failure = null;
    source.onerror = (error) => (failure = error);
    await source.open();
    if (this.closed) return;
    source.onerror = complain;
    this.labels.clear();
    this.grid?.close();
    if (failure) {
      fill(this.root, this.#empty("No candidates yet", failure.message));
      return;
    }
    if (!source.total) {
      fill(this.root, this.#empty("Everything has its label", "There is no shot left that has not been decided on."));
      return;
    }
    this.source = source;
    this.pace = h("span.number.pace", { role: "status", "aria-live": "off" });
    const again = h("button.button.compact", { type: "button", on: { click: () => this.#open() } }, icon("again"), "Rank again");
    const undo = h("button.button.compact", { type: "button", on: { click: () => this.#undo() } }, icon("undo"), "Undo", h("kbd", { "aria-hidden": "true" }, "U"));
    const help = h("p.muted.small.gallery-help", null, "Is this it? Click for yes, again for no. Keys: ", h("kbd", null, "Y"), " yes, ", h("kbd", null, "N"), " no, arrows to move.");
    this.grid = new Grid({ label: `Candidates for ${this.view.instance.name}`, card: (item, index) => this.#card(item, index), minWidth: 190, below: 0, gap: 12 });
    fill(this.root, h("div.toolbar.sticky", null, help, h("span.push"), this.pace, undo, again), this.grid.element);
    this.grid.show(source);
    this.#drawPace();
  }

  #empty(title, text) {
    return h("div.empty", null, h("h2", null, title), h("p.muted", null, text));
  }

  #card(item, index) {
    const state = this.#stateOf(item);
    const face = frame(item, h("span.when.number", null, when(item)));
    const words = WORDS[state] ?? "no label";
    const main = h("button.main", { type: "button", "aria-label": `${item.name}, ${when(item)}: ${words}`, title: item.name }, face);
    main.addEventListener("click", () => {
      const next = { confirmed: "rejected", rejected: null }[this.#stateOf(item)];
      this.#label(index, next === undefined ? "confirmed" : next);
    });
    const mark = state && state !== "proposed" && h("span.verdict", { class: state, "aria-hidden": "true" }, icon(state === "confirmed" ? "check" : "close"));
    const card = h("article.shot.candidate", { data: { state: state ?? "" } }, main, mark);
    this.book.add(card, face, item);
    playOnHover(card, face, item);
    return card;
  }

  #stateOf(item) {
    return this.labels.has(item.shot_id) ? this.labels.get(item.shot_id) : item.state;
  }

  #onCard(run) {
    const index = this.grid?.current ?? -1;
    if (index < 0 || !this.source.at(index)) return false;
    run(index);
    return true;
  }

  #label(index, state, move = false) {
    const item = this.source.at(index);
    const before = this.#stateOf(item);
    if (before !== state) {
      this.history.push({ index, item, before });
      this.times.push(performance.now());
      this.#put(index, item, state);
    }
    if (move) this.grid.focus(index + 1);
  }

  #put(index, item, state) {
    const before = this.#stateOf(item);
    const one = { confirmed: "yes", rejected: "no" };
    if (one[before] && this.labels.has(item.shot_id)) this.tally[one[before]] -= 1;
    if (one[state]) this.tally[one[state]] += 1;
    this.labels.set(item.shot_id, state);
    this.grid.redraw(index);
    this.#drawPace();
    this.#send({ shot_id: item.shot_id, state });
  }

  /** Labels go one after the other, so that the last word about a shot is the last to arrive. */
  #send(label) {
    this.sending = this.sending.then(async () => {
      try {
        const answer = await post(`/instances/${this.view.id}/labels`, { labels: [label] });
        if (!this.closed) this.view.take(answer.instance);
      } catch (error) {
        complain(error);
      }
    });
  }

  #undo() {
    const last = this.history.pop();
    if (!last) {
      toast("Nothing to undo");
      return;
    }
    this.times.pop();
    this.#put(last.index, last.item, last.before);
    this.grid.focus(last.index);
  }

  #drawPace() {
    const { yes, no } = this.tally;
    const left = Math.max(0, this.source.total - yes - no);
    const minutes = worked(this.times) / 60_000;
    const pace = this.times.length >= 5 && minutes > 0 ? ` · ${count(Math.round(this.times.length / minutes))} a minute` : "";
    fill(this.pace, h("b.yes", null, count(yes)), " yes · ", h("b.no", null, count(no)), ` no · ${plural(left, "left", "left")}${pace}`);
  }
}

/** Milliseconds spent labelling; pauses are not work. */
function worked(times) {
  let sum = 0;
  for (let at = 1; at < times.length; at += 1) sum += Math.min(IDLE, times[at] - times[at - 1]);
  return sum;
}
