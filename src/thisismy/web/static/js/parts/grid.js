/**
 * A grid of cards that makes only those in view, so that 100,000 shots scroll like 100.
 *
 * One card is in the tab order at a time; arrow keys go from card to card.
 */

import { eachFrame, h } from "../core/dom.js";

const OVERSCAN = 0.6;

export class Grid {
  /**
   * @param {Object} how
   * @param {string} how.label Said of the list.
   * @param {(item: Object, index: number) => HTMLElement} how.card Makes a card; what `.main` in it is takes the focus.
   * @param {number} [how.minWidth] Pixels a card needs.
   * @param {number} [how.below] Pixels under the picture.
   * @param {number} [how.more] Pixels more under a small one.
   * @param {number} [how.gap]
   * @param {(index: number) => void} [how.onfocus]
   */
  constructor({ label, card, minWidth = 250, below = 62, more = 0, gap = 20, onfocus = () => {} }) {
    Object.assign(this, { card, minWidth, below, more, gap, onfocus });
    this.element = h("div.grid", { role: "list", "aria-label": label });
    this.cards = new Map();
    this.source = null;
    this.focused = 0;
    this.columns = 1;
    this.rowHeight = 1;
    this.draw = eachFrame(() => this.#draw());
    this.sizes = new ResizeObserver(() => this.#measure());
    this.sizes.observe(this.element);
    addEventListener("scroll", this.draw, { passive: true });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusin", (event) => this.#focusIn(event));
  }

  /** Show another source from its beginning. */
  show(source) {
    if (this.source) this.source.onchange = () => {};
    this.source = source;
    source.onchange = () => {
      this.#resize();
      this.draw();
    };
    this.clear();
    this.focused = 0;
    this.#measure();
    this.#draw();
  }

  clear() {
    for (const element of this.cards.values()) drop(element);
    this.cards.clear();
    this.element.replaceChildren();
  }

  /** Make a card again when its item has changed. */
  redraw(index) {
    const old = this.cards.get(index);
    if (!old) return;
    const had = old.contains(document.activeElement);
    const fresh = this.#make(index);
    old.replaceWith(fresh);
    drop(old);
    if (had) mainOf(fresh).focus({ preventScroll: true });
  }

  close() {
    this.sizes.disconnect();
    removeEventListener("scroll", this.draw);
    this.clear();
  }

  /** Bring a card into view and give it the focus. */
  focus(index) {
    const to = Math.max(0, Math.min(index, (this.source?.total ?? 0) - 1));
    if (to < 0) return;
    const top = this.element.getBoundingClientRect().top + scrollY + Math.floor(to / this.columns) * this.rowHeight;
    const room = 96;
    if (top < scrollY + room) scrollTo({ top: Math.max(0, top - room) });
    else if (top + this.rowHeight > scrollY + innerHeight - 24) scrollTo({ top: top + this.rowHeight - innerHeight + 24 });
    this.#tabStop(to);
    this.#draw();
    mainOf(this.cards.get(to))?.focus({ preventScroll: true });
  }

  /** The index of the card that has the focus, or -1. */
  get current() {
    return this.element.contains(document.activeElement) ? this.focused : -1;
  }

  indexOf(element) {
    return Number(element.closest("[data-index]")?.dataset.index ?? -1);
  }

  #measure() {
    const width = this.element.clientWidth;
    if (!width || !this.source) return;
    const gap = innerWidth < 560 ? 12 : this.gap;
    const least = Math.min(this.minWidth, (Math.max(width, 280) - gap) / 2);
    const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    const tile = (width - gap * (columns - 1)) / columns;
    // Under a small card the score has a line of its own.
    const below = this.below && tile < 230 ? this.below + this.more : this.below;
    const height = Math.round((tile * 9) / 16) + below;
    const moved = columns !== this.columns || height + gap !== this.rowHeight || tile !== this.tile;
    Object.assign(this, { columns, tile, rowHeight: height + gap, gapNow: gap });
    this.element.style.setProperty("--tile", `${tile}px`);
    this.element.style.setProperty("--tile-height", `${height}px`);
    this.#resize();
    if (moved) for (const [index, element] of this.cards) this.#place(element, index);
    this.draw();
  }

  #resize() {
    const rows = Math.ceil((this.source?.total ?? 0) / this.columns);
    this.element.style.height = `${Math.max(0, rows * this.rowHeight - (this.gapNow ?? 0))}px`;
  }

  #place(element, index) {
    const x = (index % this.columns) * (this.tile + this.gapNow);
    const y = Math.floor(index / this.columns) * this.rowHeight;
    element.style.transform = `translate(${x}px, ${y}px)`;
  }

  #draw() {
    if (!this.source || !this.tile) return;
    const total = this.source.total;
    const top = -this.element.getBoundingClientRect().top;
    const extra = innerHeight * OVERSCAN;
    const firstRow = Math.max(0, Math.floor((top - extra) / this.rowHeight));
    const lastRow = Math.ceil((top + innerHeight + extra) / this.rowHeight);
    const from = Math.min(total, firstRow * this.columns);
    const to = Math.min(total, Math.max(0, lastRow) * this.columns);
    this.source.want(from, to);
    for (const [index, element] of this.cards) {
      const outside = index < from || index >= to;
      if ((outside && !element.contains(document.activeElement)) || index >= total) {
        drop(element);
        this.cards.delete(index);
      }
    }
    const fresh = document.createDocumentFragment();
    for (let index = from; index < to; index += 1) {
      const known = this.cards.get(index);
      const here = this.source.at(index) !== undefined;
      if (known && (!here || !known.classList.contains("empty"))) continue;
      if (known) known.remove();
      fresh.append(this.#make(index));
    }
    if (fresh.childNodes.length) this.element.append(fresh);
  }

  #make(index) {
    const item = this.source.at(index);
    const element = item === undefined ? h("article.shot.empty") : this.card(item, index);
    element.setAttribute("role", "listitem");
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.source.total);
    element.dataset.index = index;
    this.#place(element, index);
    this.cards.set(index, element);
    reachable(element, index === this.focused);
    return element;
  }

  #tabStop(index) {
    const before = this.cards.get(this.focused);
    if (before) reachable(before, false);
    this.focused = index;
    const now = this.cards.get(index);
    if (now) reachable(now, true);
  }

  #focusIn(event) {
    const index = this.indexOf(event.target);
    if (index < 0) return;
    if (index !== this.focused) this.#tabStop(index);
    this.onfocus(index);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("[role=menu], input[type=text]")) return;
    const page = Math.max(1, Math.floor(innerHeight / this.rowHeight) - 1) * this.columns;
    const steps = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.columns,
      ArrowUp: -this.columns,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    const to = this.focused + step;
    if ((step === -this.columns && to < 0) || (step === this.columns && to >= this.source.total)) return;
    event.preventDefault();
    this.focus(to);
  }
}

/** Only the controls of one card are reached with Tab. */
function reachable(element, yes) {
  for (const control of element.querySelectorAll("a[href], button, input")) control.tabIndex = yes ? 0 : -1;
}

const mainOf = (element) => element?.querySelector(".main");

/** Take an element away, and give up what it was still waiting for. */
export function drop(element) {
  element.dispatchEvent(new CustomEvent("drop"));
  for (const image of element.querySelectorAll("img")) if (!image.complete) image.removeAttribute("src");
  element.remove();
}
