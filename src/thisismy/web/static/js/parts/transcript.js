/** What is said, beside the video: the word being said is marked, and a click on a word goes there. */

import { calm, h } from "../core/dom.js";
import { clock } from "../core/format.js";

export class Transcript {
  /** @param {{segments: Object[], onseek: (time: number) => void}} how */
  constructor({ segments, onseek }) {
    this.onseek = onseek;
    this.words = [];
    this.follow = true;
    this.element = h("div.transcript", { tabindex: 0, role: "region", "aria-label": "Transcript" });
    const lines = document.createDocumentFragment();
    for (const segment of segments) lines.append(this.#line(segment));
    this.element.append(lines);
    this.element.addEventListener("click", (event) => this.#click(event));
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("wheel", () => this.#pauseFollowing(), { passive: true });
    this.element.addEventListener("pointerdown", () => this.#pauseFollowing());
    this.now = -1;
  }

  #line(segment) {
    const text = h("p");
    const words = segment.words?.length ? segment.words : [segment];
    for (const word of words) {
      const span = h("span.word", { class: word === segment ? "whole" : "", data: { at: this.words.length } }, word.text.trim());
      this.words.push({ start: word.start, end: word.end, span });
      text.append(span, " ");
    }
    const time = h("button.line-time.number", { type: "button", tabindex: -1, "aria-label": `Play from ${clock(segment.start)}`, data: { start: segment.start } }, clock(segment.start));
    return h("div.said-line", null, time, h("div", null, segment.speaker && h("strong.small", null, segment.speaker), text));
  }

  #pauseFollowing() {
    this.follow = false;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.follow = true), 4000);
  }

  #click(event) {
    const word = event.target.closest(".word");
    const time = event.target.closest(".line-time");
    if (word) this.onseek(this.words[Number(word.dataset.at)].start);
    else if (time) this.onseek(Number(time.dataset.start));
  }

  /** Arrow keys go from word to word, and the video goes along. */
  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target !== this.element || !this.words.length) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.min(this.words.length - 1, Math.max(0, this.now + step));
    this.onseek(this.words[to].start);
    this.#mark(to);
  }

  /** Mark the word said at a time. */
  at(time) {
    let low = 0;
    let high = this.words.length - 1;
    let found = -1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.words[middle].start <= time + 0.02) {
        found = middle;
        low = middle + 1;
      } else high = middle - 1;
    }
    const over = found >= 0 && time > this.words[found].end + 1.5;
    this.#mark(over ? -1 : found);
  }

  #mark(index) {
    if (index === this.now) return;
    this.words[this.now]?.span.classList.remove("now");
    this.words[this.now]?.span.closest(".said-line").classList.remove("now");
    this.now = index;
    const span = this.words[index]?.span;
    if (!span) return;
    span.classList.add("now");
    const line = span.closest(".said-line");
    line.classList.add("now");
    if (!this.follow) return;
    const top = line.offsetTop - this.element.clientHeight / 3;
    const far = Math.abs(top - this.element.scrollTop) > this.element.clientHeight;
    this.element.scrollTo({ top, behavior: far || calm() ? "auto" : "smooth" });
  }
}
