/** The shots of a video in a row; only those in view exist, so that a film of thousands scrolls like a short one. */

import { eachFrame, h } from "../core/dom.js";
import { clock, count } from "../core/format.js";
import { drop } from "./grid.js";
import { playOnHover } from "./preview.js";
import { frame } from "./shot.js";

const STEP = 166;
const OVERSCAN = 4;

export class Strip {
  /** @param {{shots: Object[], onpick: (shot: Object) => void}} how */
  constructor({ shots, onpick }) {
    Object.assign(this, { shots, onpick, now: -1 });
    this.items = new Map();
    this.list = h("ul", { style: { width: `${shots.length * STEP}px` } });
    this.scroller = h("div.strip-scroll", { tabindex: -1 }, this.list);
    this.element = h("section.strip", { "aria-label": "Shots" }, h("h2", null, "Shots ", h("span.count.small", null, count(shots.length))), this.scroller);
    this.draw = eachFrame(() => this.#draw());
    this.scroller.addEventListener("scroll", this.draw, { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.#key(event));
    this.sizes = new ResizeObserver(this.draw);
    this.sizes.observe(this.scroller);
  }

  close() {
    this.sizes.disconnect();
    for (const item of this.items.values()) drop(item);
  }

  /** Mark the shot a time lies in, and bring it into view; gives whether it is another one than before. */
  at(time) {
    const at = this.shots.findLastIndex((shot) => shot.start <= time + 0.05);
    if (at === this.now) return false;
    this.items.get(this.now)?.classList.remove("now");
    this.now = at;
    this.items.get(at)?.classList.add("now");
    if (!this.scroller.contains(document.activeElement)) this.#reveal(at);
    return true;
  }

  #reveal(index) {
    this.scroller.scrollTo({ left: (index + 0.5) * STEP - this.scroller.clientWidth / 2 });
    this.#draw();
  }

  #draw() {
    const { scrollLeft, clientWidth } = this.scroller;
    if (!clientWidth) return;
    const from = Math.max(0, Math.floor(scrollLeft / STEP) - OVERSCAN);
    const to = Math.min(this.shots.length, Math.ceil((scrollLeft + clientWidth) / STEP) + OVERSCAN);
    for (const [index, item] of this.items) {
      if ((index >= from && index < to) || item.contains(document.activeElement)) continue;
      drop(item);
      this.items.delete(index);
    }
    for (let index = from; index < to; index += 1) if (!this.items.has(index)) this.list.append(this.#make(index));
  }

  #make(index) {
    const shot = this.shots[index];
    const face = frame(shot, h("span.when.number", null, clock(shot.start)));
    const button = h("button.strip-shot", { type: "button", "aria-label": `Shot at ${clock(shot.start)}`, on: { click: () => this.onpick(shot) } }, face);
    const item = h("li", { class: index === this.now ? "now" : "", data: { index }, style: { left: `${index * STEP}px` } }, button);
    playOnHover(item, face, shot);
    this.items.set(index, item);
    return item;
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const item = event.target.closest("li");
    if (!step || !item || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.min(this.shots.length - 1, Math.max(0, Number(item.dataset.index) + step));
    this.#reveal(to);
    this.items.get(to)?.firstChild.focus({ preventScroll: true });
  }
}
