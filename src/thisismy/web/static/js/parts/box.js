/** A box drawn around a thing in the picture, with the pointer or with keys. */

import { h } from "../core/dom.js";

const LEAST = 0.03;

/** The part of a video or picture element that shows something, in pixels from its own corner. */
export function shownArea(media) {
  const width = media.videoWidth || media.naturalWidth || 16;
  const height = media.videoHeight || media.naturalHeight || 9;
  const scale = Math.min(media.clientWidth / width, media.clientHeight / height);
  const shown = { width: width * scale, height: height * scale };
  return { left: (media.clientWidth - shown.width) / 2, top: (media.clientHeight - shown.height) / 2, ...shown };
}

export class BoxLayer {
  /**
   * @param {HTMLElement} media The video or picture drawn on.
   * @param {(box: number[]|null) => void} onchange Left, top, right, bottom as shares of the picture.
   */
  constructor(media, onchange) {
    Object.assign(this, { media, onchange, box: null });
    this.frame = h("div.box", { hidden: true, tabindex: 0, role: "img", "aria-label": "Box around the thing. Arrow keys move it, Shift and arrow keys resize it, Delete takes it away." });
    for (const corner of ["nw", "ne", "sw", "se"]) this.frame.append(h("i", { data: { corner } }));
    this.element = h("div.box-layer", { hidden: true }, this.frame);
    this.#listen();
    this.sizes = new ResizeObserver(() => this.#draw());
    this.sizes.observe(media);
  }

  close() {
    this.sizes.disconnect();
    this.element.remove();
  }

  show(yes) {
    this.element.hidden = !yes;
    if (yes) this.#draw();
    else this.set(null);
  }

  set(box) {
    this.box = box;
    this.#draw();
    this.onchange(box);
  }

  /** A box in the middle, to continue from with keys. */
  begin() {
    this.set([0.3, 0.25, 0.7, 0.75]);
    this.frame.focus();
  }

  #draw() {
    const area = shownArea(this.media);
    const style = this.element.style;
    for (const side of ["left", "top", "width", "height"]) style.setProperty(side, `${area[side]}px`);
    this.frame.hidden = !this.box;
    if (!this.box) return;
    const [left, top, right, bottom] = this.box;
    Object.assign(this.frame.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
  }

  #listen() {
    let start = null;
    const at = (event) => {
      const area = this.element.getBoundingClientRect();
      const share = (value, from, size) => Math.min(1, Math.max(0, (value - from) / size));
      return [share(event.clientX, area.left, area.width), share(event.clientY, area.top, area.height)];
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      const [x, y] = at(event);
      const corner = event.target.dataset?.corner;
      if (corner) {
        const [l, t, r, b] = this.box;
        start = [corner.includes("w") ? r : l, corner.includes("n") ? b : t];
      } else if (event.target === this.frame) start = { move: [x, y], from: [...this.box] };
      else start = [x, y];
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!start) return;
      const [x, y] = at(event);
      if (start.move) this.set(moved(start.from, x - start.move[0], y - start.move[1]));
      else {
        const box = [Math.min(start[0], x), Math.min(start[1], y), Math.max(start[0], x), Math.max(start[1], y)];
        if (box[2] - box[0] > LEAST && box[3] - box[1] > LEAST) this.set(box);
      }
    });
    const up = () => (start = null);
    this.element.addEventListener("pointerup", up);
    this.element.addEventListener("pointercancel", up);
    this.frame.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const step = 0.02;
    const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    if (event.key === "Delete" || event.key === "Backspace") this.set(null);
    else if (!dx && !dy) return;
    else if (event.shiftKey) {
      const [left, top, right, bottom] = this.box;
      this.set([left, top, Math.min(1, Math.max(left + LEAST, right + dx)), Math.min(1, Math.max(top + LEAST, bottom + dy))]);
    } else this.set(moved(this.box, dx, dy));
    event.preventDefault();
    event.stopPropagation();
  }
}

function moved([left, top, right, bottom], dx, dy) {
  const x = Math.min(1 - right, Math.max(-left, dx));
  const y = Math.min(1 - bottom, Math.max(-top, dy));
  return [left + x, top + y, right + x, bottom + y];
}
