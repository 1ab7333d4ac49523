/** Shots that play silently: one under the pointer, or those of a gallery, which take turns. */

import { calm, h } from "../core/dom.js";

const WAIT = 130;
const LONGEST = 8;

/**
 * Play a shot silently over its picture, round and round.
 *
 * @param {HTMLElement} face The box the picture fills.
 * @param {Object} shot Needs `preview`, `preview_start` and `preview_end`.
 * @param {() => void} [onround] Called each time it starts again.
 * @returns {() => void} Stops it.
 */
export function play(face, shot, onround = () => {}) {
  if (!shot.preview) return () => {};
  const video = h("video.preview", { muted: true, playsinline: true, preload: "auto", tabindex: -1, "aria-hidden": "true" });
  video.muted = true;
  video.disablePictureInPicture = true;
  const from = shot.preview_start ?? 0;
  const to = Math.min(shot.preview_end ?? Infinity, from + LONGEST);
  const again = () => {
    onround();
    if (!video.isConnected) return;
    video.currentTime = from;
    start(video);
  };
  video.addEventListener("loadedmetadata", () => {
    if (Math.abs(video.currentTime - from) > 0.3) video.currentTime = from;
  });
  video.addEventListener("timeupdate", () => {
    if (video.currentTime >= to - 0.05) again();
  });
  video.addEventListener("ended", again);
  video.addEventListener("playing", () => video.classList.add("on"), { once: true });
  video.addEventListener("error", () => stop());
  video.src = shot.preview;
  face.append(video);
  start(video);
  const stop = () => {
    if (!video.isConnected) return;
    video.remove();
    video.removeAttribute("src");
    video.load();
  };
  return stop;
}

function start(video) {
  // A browser may refuse, or the card may be gone before it has begun; the picture then stays.
  video.play().catch(() => {});
}

/** Play a card's shot while the pointer rests on it, or while it has the keyboard's focus. */
export function playOnHover(card, face, shot) {
  if (!shot.preview) return;
  let timer = 0;
  let stop = null;
  const begin = () => {
    clearTimeout(timer);
    if (stop || calm()) return;
    timer = setTimeout(() => (stop ??= play(face, shot)), WAIT);
  };
  const end = () => {
    clearTimeout(timer);
    stop?.();
    stop = null;
  };
  card.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && begin());
  card.addEventListener("pointerleave", () => card.matches(":focus-within") || end());
  card.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && begin());
  card.addEventListener("focusout", (event) => card.contains(event.relatedTarget) || card.matches(":hover") || end());
  card.addEventListener("drop", end);
}

/** Cards in view play by themselves: eight pictures of a shot in turn, which no decoder has to work for. */
export class Flipbook {
  /** @param {number} [atOnce] Pictures asked for at the same time; the rest of the page keeps loading. */
  constructor(atOnce = 2) {
    this.atOnce = calm() ? 0 : atOnce;
    this.known = new Map();
    this.queue = [];
    this.loading = new Map();
    this.seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "60px" });
  }

  add(card, face, shot) {
    if (!shot.strip || !this.atOnce) return;
    this.known.set(card, { face, url: shot.strip });
    this.seen.observe(card);
    card.addEventListener("drop", () => this.#forget(card));
  }

  close() {
    this.seen.disconnect();
    for (const image of this.loading.values()) image.removeAttribute("src");
    this.loading.clear();
    this.queue = [];
    this.known.clear();
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      const waits = this.queue.includes(target) || this.loading.has(target);
      if (!isIntersecting) this.queue = this.queue.filter((one) => one !== target);
      else if (!waits && this.known.has(target)) this.queue.push(target);
      this.known.get(target)?.face.querySelector(".flip")?.classList.toggle("on", isIntersecting);
    }
    this.#next();
  }

  #forget(card) {
    this.seen.unobserve(card);
    this.known.delete(card);
    this.queue = this.queue.filter((one) => one !== card);
    this.loading.get(card)?.removeAttribute("src");
    this.loading.delete(card);
    this.#next();
  }

  #next() {
    while (this.loading.size < this.atOnce && this.queue.length) {
      const card = this.queue.shift();
      const { face, url } = this.known.get(card);
      if (face.querySelector(".flip")) continue;
      const image = new Image();
      this.loading.set(card, image);
      const done = (ok) => {
        this.loading.delete(card);
        if (ok && this.known.has(card)) {
          face.append(h("span.flip.on", { "aria-hidden": "true", style: { "background-image": `url("${encodeURI(url)}")` } }));
        }
        this.#next();
      };
      image.addEventListener("load", () => done(true));
      image.addEventListener("error", () => done(false));
      image.src = url;
    }
  }
}
