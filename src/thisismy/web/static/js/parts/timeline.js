/** The time line under a video: cuts, what was found, what was named; drag or arrow keys to go, pictures while pointing. */

import { eachFrame, h } from "../core/dom.js";
import { clock, percent, spoken } from "../core/format.js";

export class Timeline {
  /**
   * @param {Object} how
   * @param {number} how.duration Seconds.
   * @param {(time: number) => void} how.onseek
   */
  constructor({ duration, onseek }) {
    Object.assign(this, { duration: Math.max(duration, 0.001), onseek, sprites: null, pointed: 0 });
    this.cuts = h("canvas.cuts", { "aria-hidden": "true" });
    this.played = h("i.played");
    this.knob = h("i.knob");
    this.hits = h("div.lane.hits", { "aria-hidden": "true" });
    this.named = h("div.lane.named", { "aria-hidden": "true" });
    this.picture = h("div.sprite");
    this.label = h("span.number");
    this.bubble = h("div.bubble", { hidden: true, "aria-hidden": "true" }, this.picture, this.label);
    this.bar = h(
      "div.timeline-bar",
      { role: "slider", tabindex: 0, "aria-label": "Where in the video", "aria-valuemin": 0, "aria-valuemax": Math.round(duration) },
      h("div.track", null, this.cuts, this.played),
      this.hits,
      this.named,
      this.knob,
    );
    this.element = h("div.timeline", null, this.bar, this.bubble);
    this.shots = [];
    this.dragging = false;
    this.sheets = new Map();
    this.#listen();
    this.sizes = new ResizeObserver(() => this.#drawCuts());
    this.sizes.observe(this.bar);
    this.at(0);
  }

  close() {
    this.sizes.disconnect();
  }

  /** Show where the video is. */
  at(time) {
    const share = `${(time / this.duration) * 100}%`;
    this.played.style.width = share;
    this.knob.style.left = share;
    this.bar.setAttribute("aria-valuenow", Math.round(time));
    this.bar.setAttribute("aria-valuetext", `${spoken(time)} of ${spoken(this.duration)}`);
  }

  /** Show pictures while pointing: `sprites` as `/media/{id}/sprites` says. */
  setSprites(sprites) {
    this.sprites = sprites;
    if (!this.bubble.hidden) this.#point(this.pointed);
  }

  setShots(shots) {
    this.shots = shots;
    this.#drawCuts();
  }

  /** Mark what was found: `[{start, end, relevance, rank}]`. */
  setHits(hits) {
    this.hits.replaceChildren(...hits.map((hit) => this.#span("hit", hit, hit.relevance ? percent(hit.relevance, 0) : "", 0.45 + 0.55 * (1 / Math.max(1, hit.rank ?? 1)) ** 0.3)));
  }

  /** Mark what was named: `[{start, end, name, state}]`. */
  setNamed(items) {
    this.named.replaceChildren(...items.filter((one) => one.state !== "rejected").map((one) => this.#span(one.state, one, one.name, 1)));
  }

  #span(kind, { start, end }, title, strength) {
    const mark = h("i", { class: kind, title });
    mark.style.left = `${(start / this.duration) * 100}%`;
    mark.style.width = `max(4px, ${((end - start) / this.duration) * 100}%)`;
    mark.style.opacity = strength;
    return mark;
  }

  #drawCuts() {
    const width = this.bar.clientWidth;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    this.cuts.width = width * scale;
    this.cuts.height = 10 * scale;
    const pen = this.cuts.getContext("2d");
    pen.fillStyle = getComputedStyle(this.cuts).color;
    let last = -10;
    for (const shot of this.shots) {
      const x = Math.round((shot.start / this.duration) * width);
      if (x - last < 3 || x === 0) continue;
      pen.fillRect(x * scale, 0, Math.max(1, scale), 10 * scale);
      last = x;
    }
  }

  #timeAt(event) {
    const box = this.bar.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.duration;
  }

  #listen() {
    const seek = eachFrame((time) => this.onseek(time));
    this.bar.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.dragging = true;
      this.bar.setPointerCapture(event.pointerId);
      seek(this.#timeAt(event));
    });
    this.bar.addEventListener("pointermove", (event) => {
      const time = this.#timeAt(event);
      this.#point(time);
      if (this.dragging) seek(time);
    });
    const up = (event) => {
      if (!this.dragging) return;
      this.dragging = false;
      if (event.type === "pointerup") seek(this.#timeAt(event));
    };
    this.bar.addEventListener("pointerup", up);
    this.bar.addEventListener("pointercancel", up);
    this.bar.addEventListener("pointerleave", () => (this.bubble.hidden = true));
  }

  #point(time) {
    const width = this.bar.clientWidth;
    this.pointed = time;
    this.bubble.hidden = false;
    this.label.textContent = clock(time);
    this.#drawSprite(time);
    const half = this.bubble.offsetWidth / 2;
    const x = Math.min(width - half, Math.max(half, (time / this.duration) * width));
    this.bubble.style.transform = `translateX(${x}px) translateX(-50%)`;
  }

  #drawSprite(time) {
    const sprites = this.sprites;
    this.picture.hidden = !sprites;
    if (!sprites) return;
    const { interval, width, height, columns, rows, count } = sprites;
    const index = Math.min(count - 1, Math.max(0, Math.round(time / interval)));
    const inSheet = index % (columns * rows);
    const sheet = this.#sheet(Math.floor(index / (columns * rows)));
    const style = this.picture.style;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.backgroundImage = sheet ? `url("${encodeURI(sheet)}")` : "none";
    style.backgroundPosition = `${-(inSheet % columns) * width}px ${-Math.floor(inSheet / columns) * height}px`;
  }

  /** The address of a sheet that is here, or null; one is fetched at a time, so that the video itself never waits. */
  #sheet(number) {
    const url = this.sprites.sheets[number];
    if (this.sheets.get(number)) return url;
    if (!this.sheets.has(number) && ![...this.sheets.values()].includes(false)) {
      const image = new Image();
      this.sheets.set(number, false);
      image.addEventListener("load", () => {
        this.sheets.set(number, true);
        if (!this.bubble.hidden) this.#point(this.pointed);
      });
      image.addEventListener("error", () => this.sheets.delete(number));
      image.src = url;
    }
    return null;
  }
}
