/** The examples of an instance: confirmed, proposed, rejected; each can be decided anew. */

import { get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { count, percent, plural, when } from "../core/format.js";
import { icon } from "../core/icons.js";
import { playOnHover } from "../parts/preview.js";
import { frame, watchAddress } from "../parts/shot.js";
import { toast, trying } from "../parts/toast.js";

const STATES = [
  ["proposed", "Proposed", "thisismy thinks these show it. Nothing is learned from them until you confirm."],
  ["confirmed", "Confirmed", "It is learned from these."],
  ["rejected", "Rejected", "These do not show it; searches leave them out."],
];

const ORIGINS = { taught: "named by you", mined: "said aloud", similar: "looks alike", imported: "imported", labelled: "labelled", photo: "photo" };

export class ExamplesTab {
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.#load();
  }

  close() {
    this.closed = true;
  }

  changed(what) {
    if (what.has("examples") || what.has("instances")) this.#load();
  }

  async #load() {
    const all = await trying(() => Promise.all(STATES.map(([state]) => get(`/instances/${this.view.id}/examples`, { state, limit: 500 }))));
    if (!all || this.closed) return;
    const propose = h("button.button.compact", { type: "button", disabled: !this.view.instance.confirmed }, icon("like"), "Propose more");
    propose.addEventListener("click", () => this.#propose());
    const sections = STATES.map(([state, title, text], at) => this.#section(state, title, text, all[at]));
    const total = all.reduce((sum, one) => sum + one.total, 0);
    const empty = h("div.empty", null, h("h2", null, "No examples yet"), h("p.muted", null, "Drop photos anywhere on this page, or name it in a video."));
    fill(this.root, h("div.toolbar", null, h("span.push"), propose), total ? sections : empty);
  }

  #section(state, title, text, { total, items }) {
    if (!total) return null;
    const both = state === "proposed" && total > 1 && h("span.row.push", null, this.#all(items, "confirmed", "Confirm all"), this.#all(items, "rejected", "Reject all"));
    return h(
      "section.examples",
      { "aria-label": title },
      h("div.row.wrap", null, h("h2", null, `${title} `, h("span.count", null, count(total))), h("span.muted.small", null, text), both),
      h("ul.example-list", null, items.map((example) => h("li", null, this.#card(example)))),
    );
  }

  #all(items, state, label) {
    return h("button.button.compact", { type: "button", on: { click: () => this.#decide(items.map((one) => one.id), state) } }, label);
  }

  #card(example) {
    const face = example.picture ? frame({ picture: example.crop ?? example.picture }) : h("span.frame.broken");
    if (example.box && !example.crop) face.append(boxMark(example.box));
    const label = example.name ? `${example.name}, ${when(example)}` : "a photo kept with it";
    const inner = example.media_id !== null ? h("a.main", { href: watchAddress(example), "aria-label": `Play ${label}` }, face) : h("span.main", null, face);
    const origin = ORIGINS[example.origin] ?? example.origin;
    const score = example.score !== null && example.score !== undefined ? ` · ${percent(Math.min(1, Math.max(0, example.score)))} alike` : "";
    const press = (state, name, words, kind) =>
      h("button.icon-button", { type: "button", class: kind, "aria-label": `${words}: ${label}`, title: words, "aria-pressed": String(example.state === state), on: { click: () => this.#decide([example.id], state) } }, icon(name));
    const card = h(
      "article.example",
      null,
      inner,
      h("div.row", null, h("span.about", null, h("span.small.clip", null, example.name ?? "photo"), h("span.faint.small.clip", null, `${origin}${score}`)), h("span.row.push.tight", null, press("confirmed", "check", "It is", "yes"), press("rejected", "close", "It is not", "no"), press("removed", "trash", "Forget", ""))),
    );
    if (example.preview) playOnHover(card, face, example);
    return card;
  }

  async #decide(ids, state) {
    const path = `/instances/${this.view.id}/examples`;
    const answer = await trying(() => post(path, { example_ids: ids, state }));
    if (!answer) return;
    this.view.take(answer.instance);
    await this.#load();
    const words = { confirmed: "confirmed", rejected: "rejected", removed: "forgotten" }[state];
    const undo = async () => {
      const back = await trying(() => post(path, { states: answer.before }));
      if (back) this.view.take(back.instance);
      await this.#load();
    };
    toast(`${plural(ids.length, "example")} ${words}`, state === "removed" ? {} : { undo });
  }

  async #propose() {
    const answer = await trying(() => post(`/instances/${this.view.id}/propose`, { limit: 20 }));
    if (!answer) return;
    toast(answer.examples.length ? `${plural(answer.examples.length, "shot")} proposed` : "No other shot looks enough like it");
    await this.#load();
  }
}

function boxMark([left, top, right, bottom]) {
  const mark = h("i.box-mark");
  Object.assign(mark.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
  return mark;
}
