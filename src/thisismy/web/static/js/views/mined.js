/** Mined: what was named aloud, one mention at a time, to accept, reject or put right; with keys alone if one likes. */

import { get, post } from "../core/api.js";
import { calm, fill, h } from "../core/dom.js";
import { clock, count, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, go } from "../core/router.js";
import { store, watch } from "../core/store.js";
import { combobox } from "../parts/combobox.js";
import { face } from "../parts/face.js";
import { startJob } from "../parts/jobs.js";
import { play } from "../parts/preview.js";
import { completions } from "../parts/searchbox.js";
import { frame, watchAddress } from "../parts/shot.js";
import { toast, trying } from "../parts/toast.js";
import { suggestCategories } from "../parts/welcome.js";

const STATES = [
  ["open", "To review"],
  ["accepted", "Accepted"],
  ["rejected", "Rejected"],
  ["all", "All"],
];

export function show(root, to) {
  return new MinedView(root, to);
}

class MinedView {
  constructor(root, to) {
    this.root = root;
    this.title = "Mined";
    this.history = [];
    this.done = 0;
    this.stop = [watch((what) => what.has("mentions") && !this.busy && this.#load(true)), this.#bindKeys()];
    this.update(to);
  }

  update(to) {
    if (to.page !== "mined") return false;
    this.state = STATES.some(([state]) => state === to.query.get("state")) ? to.query.get("state") : "open";
    this.#load(false);
    return true;
  }

  close() {
    this.closed = true;
    this.stopPlaying?.();
    for (const stop of this.stop) stop();
  }

  #bindKeys() {
    const on = (run) => () => (this.current ? run() : false);
    return bind("Mined", [
      { keys: "a|y", does: "Accept", run: on(() => this.#accept()) },
      { keys: "r|x", does: "Reject: names nothing that is seen", run: on(() => this.#reject()) },
      { keys: "e", does: "Put the name right", run: on(() => this.#edit(this.nameInput)) },
      { keys: "c", does: "Put the kind of thing right", run: on(() => this.#edit(this.categoryInput)) },
      { keys: "j|ArrowDown|ArrowRight", does: "Next", run: on(() => this.#move(1)) },
      { keys: "k|ArrowUp|ArrowLeft", does: "Previous", run: on(() => this.#move(-1)) },
      { keys: "u", does: "Undo", run: () => this.#undo() },
      { keys: "o", does: "Open the video there", run: on(() => this.current.shot && go(watchAddress(this.current.shot))) },
    ]);
  }

  async #load(keep) {
    const state = this.state;
    const verdict = state === "open" ? "kept" : "all";
    const answer = await trying(() => get("/mentions", { state, verdict, limit: 500 }));
    if (!answer || this.closed || state !== this.state) return;
    this.items = answer.items;
    this.counts = answer;
    const at = keep ? this.items.findIndex((one) => one.id === this.current?.id) : 0;
    this.#draw();
    this.#show(Math.max(0, at), keep);
  }

  #draw() {
    const tabs = h("nav.segments", { "aria-label": "Which mentions" });
    for (const [state, label] of STATES) {
      const n = { open: this.state === "open" ? this.counts.open : store.status?.open_mentions, accepted: this.counts.accepted, rejected: this.counts.rejected }[state];
      const to = address("mined", [], { state: state === "open" ? "" : state });
      const here = state === this.state ? "page" : null;
      tabs.append(h("a", { href: to, "aria-current": here }, label, n !== undefined && h("span.count", null, count(n))));
    }
    const mine = h("button.button.compact", { type: "button" }, icon("again"), "Look again");
    mine.addEventListener("click", () => startJob({ kind: "mine" }));
    this.stage = h("section.mention", { "aria-label": "Mention", "aria-live": "polite" });
    this.queue = h("ol.queue", { "aria-label": "Mentions" });
    const title = h("div", null, h("h1", null, "Mined"), h("p.muted", null, "Where you say “this is my …”, with what is seen just then."));
    fill(this.root, h("header.view-head", null, title, mine), h("div.scroll-x", null, tabs), h("div.review", null, this.stage, this.queue));
    this.#drawQueue();
  }

  #drawQueue() {
    const rows = this.items.map((item, index) => {
      const picture = item.shot ? frame(item.shot) : h("span.frame");
      const button = h(
        "button.queue-item",
        { type: "button", "aria-current": index === this.at ? "true" : null },
        picture,
        h("span", null, h("strong.clip", null, item.instance ?? item.name), h("small.faint.clip", null, item.sentence)),
        item.decision && h("span.tag", { class: item.decision === "accepted" ? "yes" : "no" }, icon(item.decision === "accepted" ? "check" : "close"), h("span.sr", null, item.decision)),
      );
      button.addEventListener("click", () => this.#show(index));
      return h("li", null, button);
    });
    fill(this.queue, rows);
  }

  #show(index, keep = false) {
    if (keep && this.current && this.current.id === this.items[index]?.id && this.#isEditing()) return;
    this.stopPlaying?.();
    this.at = Math.min(Math.max(0, index), this.items.length - 1);
    this.current = this.items[this.at] ?? null;
    [...this.queue.querySelectorAll(".queue-item")].forEach((button, at) => {
      if (at === this.at) {
        button.setAttribute("aria-current", "true");
        button.scrollIntoView({ block: "nearest", inline: "nearest" });
      } else button.removeAttribute("aria-current");
    });
    this.root.querySelector(".review").classList.toggle("done", !this.current);
    if (this.current) this.#drawMention(this.current);
    else this.#drawEmpty();
  }

  #isEditing() {
    return this.stage.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
  }

  #drawMention(item) {
    const to = item.shot && watchAddress({ ...item.shot, start: item.start });
    const where = `${item.name_of_file} at ${clock(item.start)}`;
    const words = h("blockquote.sentence", null, h("p", null, sentence(item)), h("footer.small.faint", null, to ? h("a", { href: to }, where) : where));
    const reason = h("p.small.faint", null, `${item.verdict}: ${item.reason}`);
    fill(this.stage, this.#drawShot(item), h("div.mention-words", null, words, item.decision ? this.#decided(item) : this.#form(item), reason));
  }

  #decided(item) {
    this.nameInput = this.categoryInput = null;
    const undo = h("button.button", { type: "button", on: { click: () => this.#takeBack(item) } }, icon("undo"), "Take back", h("kbd", { "aria-hidden": "true" }, "U"));
    const to = item.instance_id && h("a.button", { href: address("thing", [item.instance_id]) }, item.instance);
    return h("div.row.wrap.decide", null, h("span.tag", { class: item.decision === "accepted" ? "yes" : "no" }, item.decision), to, undo);
  }

  #form(item) {
    const nameInput = h("input.input.big", { value: item.instance ?? item.name, spellcheck: "false", maxlength: 200 });
    const categoryInput = h("input.input", { value: item.category ?? "", placeholder: "guessed from the picture", spellcheck: "false", maxlength: 80 });
    Object.assign(this, { nameInput, categoryInput });
    const nameField = h("label.field.anchor", null, h("span", null, "The name"), nameInput);
    const categoryField = h("label.field.anchor", null, h("span", null, "What kind of thing"), categoryInput);
    combobox(nameInput, {
      label: "Your things",
      suggest: async (text) => (text === item.name ? [] : completions(text, text.length).items),
      show: (instance) => [face(instance), h("strong", null, instance.name)],
      choose: (instance) => (nameInput.value = instance.name),
    });
    combobox(categoryInput, { label: "Kinds of things", suggest: suggestCategories, quiet: 90, show: (one) => [h("span", null, one.name)], choose: (one) => (categoryInput.value = one.name) });
    const form = h("form.stack", null, nameField, categoryField, this.#buttons());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#accept();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.target.blur();
      event.stopPropagation();
    });
    return form;
  }

  #drawShot(item) {
    if (!item.shot) return h("div.frame.broken", null, h("p.muted", null, "No shot shows it well enough."));
    const big = { ...item.shot, picture: item.shot.picture.replace(/size=\d+/, "size=640") };
    const face = frame(big, h("span.when.number", null, `${clock(item.shot.start)} – ${clock(item.shot.end)}`));
    if (!calm()) this.stopPlaying = play(face, item.shot);
    const others = item.examples.map((one) => h("li", null, h("img", { src: one.picture, alt: `Also at ${clock(one.start)}`, title: `Also at ${clock(one.start)}`, loading: "lazy" })));
    return h("div.mention-shot", null, face, others.length > 0 && h("div", null, h("p.label", null, `${plural(others.length, "further shot")} that look${others.length === 1 ? "s" : ""} like it`), h("ul.others", null, others)));
  }

  #buttons() {
    return h(
      "div.row.wrap.decide",
      null,
      h("button.button.yes", { type: "submit" }, icon("check"), "Accept", h("kbd", { "aria-hidden": "true" }, "A")),
      h("button.button.no", { type: "button", on: { click: () => this.#reject() } }, icon("close"), "Reject", h("kbd", { "aria-hidden": "true" }, "R")),
      h("button.button.plain", { type: "button", on: { click: () => this.#move(1) } }, "Later", h("kbd", { "aria-hidden": "true" }, "J")),
    );
  }

  #drawEmpty() {
    const open = this.state === "open";
    const total = this.counts.accepted + this.counts.rejected;
    const again = this.done > 0 ? `${plural(this.done, "mention")} in ${clock(this.seconds)} minutes.` : "";
    if (open && total) {
      fill(this.stage, h("div.empty", null, h("h2", null, "All reviewed"), h("p.muted", null, `${again} ${count(this.counts.accepted)} accepted, ${count(this.counts.rejected)} rejected.`), h("a.button.primary", { href: address("things") }, "See your things")));
      return;
    }
    const start = h("button.button.primary", { type: "button", on: { click: () => startJob({ kind: "mine" }) } }, "Look for names");
    const listen = h("button.button", { type: "button", on: { click: () => startJob({ kind: "transcribe", speech: true }) } }, "Listen to the videos first");
    const text = "When you say “this is my dog Biscuit” in a video, thisismy can find the place and what is seen there. It reads subtitles beside your videos, and can listen to their sound.";
    fill(this.stage, h("div.empty", null, h("h2", null, open ? "Nothing mined yet" : "None"), h("p.muted", null, open ? text : "Nothing is in this list."), open && h("div.row.wrap", null, start, store.status?.speech !== false && listen)));
  }

  get seconds() {
    return (performance.now() - (this.began ?? performance.now())) / 1000;
  }

  #move(step) {
    this.#show(this.at + step);
  }

  #edit(input) {
    input?.focus();
    input?.select();
  }

  async #decide(item, verb, body) {
    if (this.busy) return;
    this.busy = true;
    this.began ??= performance.now();
    const answer = await trying(() => post(`/mentions/${item.id}/${verb}`, body));
    this.busy = false;
    if (!answer) return;
    this.history.push(item.id);
    this.done += 1;
    this.counts.open -= item.decision ? 0 : 1;
    this.counts[verb === "accept" ? "accepted" : "rejected"] += 1;
    const name = answer.instance?.name ?? item.name;
    toast(verb === "accept" ? `${name}: accepted` : `${item.name}: rejected`, { undo: () => this.#undo() });
    const at = this.items.findIndex((one) => one.id === item.id);
    if (this.state === "open") this.items.splice(at, 1);
    else this.items[at] = answer.mention;
    document.activeElement?.blur?.();
    this.current = null;
    this.#draw();
    this.#show(this.state === "open" ? at : at + 1);
  }

  #accept() {
    const item = this.current;
    if (!item || item.decision) return;
    const name = this.nameInput.value.trim();
    if (!name) {
      this.#edit(this.nameInput);
      return;
    }
    this.#decide(item, "accept", { name, category: this.categoryInput.value.trim() });
  }

  #reject() {
    const item = this.current;
    if (item && !item.decision) this.#decide(item, "reject", {});
  }

  async #undo() {
    const id = this.current?.decision ? this.current.id : this.history.pop();
    if (id === undefined) {
      toast("Nothing to undo");
      return;
    }
    await this.#takeBack({ id });
  }

  async #takeBack(item) {
    this.busy = true;
    const answer = await trying(() => post(`/mentions/${item.id}/undo`));
    this.busy = false;
    if (!answer) return;
    this.done = Math.max(0, this.done - 1);
    this.current = { id: item.id };
    toast(`${answer.mention.name}: taken back`);
    await this.#load(true);
  }
}

/** The sentence with the name in it marked. */
function sentence(item) {
  const at = item.sentence.toLocaleLowerCase().indexOf(item.name.toLocaleLowerCase());
  if (at < 0) return item.sentence;
  const end = at + item.name.length;
  return [item.sentence.slice(0, at), h("mark", null, item.sentence.slice(at, end)), item.sentence.slice(end)];
}
