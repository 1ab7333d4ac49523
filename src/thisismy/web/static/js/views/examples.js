/** The examples of an instance: confirmed, proposed, rejected; each can be decided again, or moved to another thing. */

import { get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { count, percent, plural, when } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, go } from "../core/router.js";
import { askText } from "../parts/dialog.js";
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
    this.chosen = new Set();
    this.known = new Map();
    this.unbind = bind("Examples", [
      { keys: "j", does: "Next example", run: () => this.#step(1) },
      { keys: "k", does: "Previous example", run: () => this.#step(-1) },
      { keys: "x", does: "Choose it, or not", run: () => this.#here()?.querySelector(".pick-shot input").click() },
      { keys: "s", does: "Those chosen are another thing …", run: () => this.#split() },
      { keys: "Escape", does: "Choose none", run: () => (this.chosen.size ? this.#chooseNone() : false) },
    ]);
    this.bar = this.#makeBar();
    this.#load();
  }

  close() {
    this.closed = true;
    this.unbind();
  }

  changed(what) {
    if (what.has("examples") || what.has("instances")) this.#load();
  }

  async #load() {
    const all = await trying(() => Promise.all(STATES.map(([state]) => get(`/instances/${this.view.id}/examples`, { state, limit: 500 }))));
    if (!all || this.closed) return;
    this.known = new Map(all.flatMap((one) => one.items).map((example) => [example.id, example]));
    for (const id of this.chosen) if (!this.known.has(id)) this.chosen.delete(id);
    const here = this.#here()?.dataset.id;
    const propose = h("button.button.compact", { type: "button", disabled: !this.view.instance.confirmed }, icon("like"), "Propose more");
    propose.addEventListener("click", () => this.#propose());
    const sections = STATES.map(([state, title, text], at) => this.#section(state, title, text, all[at]));
    const total = all.reduce((sum, one) => sum + one.total, 0);
    const empty = h("div.empty", null, h("h2", null, "No examples yet"), h("p.muted", null, "Drop photos anywhere on this page, or name it in a video."));
    const help = total > 0 && h("p.muted.small.gallery-help", null, "Several things mixed up? Choose some (", h("kbd", null, "X"), ") and split them off.");
    fill(this.root, h("div.toolbar", null, help, h("span.push"), propose), total ? sections : empty, this.bar.element);
    this.#drawBar();
    if (here) this.root.querySelector(`.example[data-id="${here}"] input`)?.focus({ preventScroll: true });
  }

  #here() {
    return this.root.contains(document.activeElement) ? document.activeElement.closest(".example") : null;
  }

  #step(by) {
    const all = [...this.root.querySelectorAll(".example")];
    const at = all.indexOf(this.#here());
    all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]?.querySelector("input").focus();
  }

  #makeBar() {
    const words = h("strong.number", { role: "status" });
    const split = h("button.button.compact.primary", { type: "button", on: { click: () => this.#split() } }, icon("split"), "These are another thing …", h("kbd", { "aria-hidden": "true" }, "S"));
    const none = h("button.icon-button", { type: "button", "aria-label": "Choose none", on: { click: () => this.#chooseNone() } }, icon("close"));
    return { words, element: h("section.selection", { "aria-label": "Chosen examples", hidden: true }, words, split, none) };
  }

  #drawBar() {
    this.bar.element.hidden = !this.chosen.size;
    this.bar.words.textContent = plural(this.chosen.size, "example");
  }

  #choose(example, card, yes) {
    if (yes) this.chosen.add(example.id);
    else this.chosen.delete(example.id);
    card.classList.toggle("selected", yes);
    this.#drawBar();
  }

  #chooseNone() {
    this.chosen.clear();
    for (const card of this.root.querySelectorAll(".example.selected")) {
      card.classList.remove("selected");
      card.querySelector("input").checked = false;
    }
    this.#drawBar();
  }

  async #split() {
    const ids = [...this.chosen];
    if (!ids.length) {
      toast("Choose examples first: the tick on their picture, or X", { seconds: 7 });
      return;
    }
    const { id, name } = this.view.instance;
    const note = `${plural(ids.length, "example")} will leave ${name}. Both are learned again when they are next searched for.`;
    const other = await askText("These are another thing", { label: "What is it called?", action: "Split", note });
    if (!other) return;
    const made = await trying(() => post(`/instances/${id}/split`, { name: other, example_ids: ids }));
    if (!made) return;
    // Who says what they are has said that they show it.
    const open = ids.filter((one) => this.known.get(one)?.state !== "confirmed");
    if (open.length) await trying(() => post(`/instances/${made.id}/examples`, { example_ids: open, state: "confirmed" }));
    const left = await trying(() => get(`/instances/${id}`));
    toast(`${plural(ids.length, "example")} ${ids.length === 1 ? "is" : "are"} ${made.name} now`, { undo: () => go(address("thing", [made.id, "examples"])), label: "Show" });
    if (this.closed) return;
    this.chosen.clear();
    if (left) this.view.take(left);
    await this.#load();
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
    const chosen = this.chosen.has(example.id);
    const tick = h("label.over.pick-shot", { title: "Choose" }, h("input", { type: "checkbox", ".checked": chosen, "aria-label": `Choose ${label}` }));
    const card = h(
      "article.example",
      { class: chosen ? "selected" : "", data: { id: example.id } },
      inner,
      h("div.tools", null, tick),
      h("div.row", null, h("span.about", null, h("span.small.clip", null, example.name ?? "photo"), h("span.faint.small.clip", null, `${origin}${score}`)), h("span.row.push.tight", null, press("confirmed", "check", "It is", "yes"), press("rejected", "close", "It is not", "no"), press("removed", "trash", "Forget", ""))),
    );
    tick.firstChild.addEventListener("change", (event) => this.#choose(example, card, event.target.checked));
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
