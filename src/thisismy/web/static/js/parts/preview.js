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

/** Cards in view play by themselves, at most some at a time; the others take over when one has played through. */
export class TakingTurns {
  /** @param {number} [most] Videos that play at once. */
  constructor(most = Math.min(12, Math.max(4, (navigator.hardwareConcurrency ?? 4) * 2))) {
    this.most = calm() ? 0 : most;
    this.known = new Map();
    this.queue = [];
    this.playing = new Map();
    this.seen = new IntersectionObserver((entries) => this.#look(entries), { threshold: 0.5 });
  }

  add(card, face, shot) {
    if (!shot.preview || !this.most) return;
    this.known.set(card, { face, shot });
    this.seen.observe(card);
    card.addEventListener("drop", () => this.#forget(card));
  }

  close() {
    this.seen.disconnect();
    for (const stop of this.playing.values()) stop();
    this.playing.clear();
    this.queue = [];
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) this.#stop(target);
      else if (!this.playing.has(target) && !this.queue.includes(target)) this.queue.push(target);
    }
    this.#next();
  }

  #forget(card) {
    this.seen.unobserve(card);
    this.known.delete(card);
    this.#stop(card);
    this.#next();
  }

  #stop(card) {
    this.queue = this.queue.filter((one) => one !== card);
    this.playing.get(card)?.();
    this.playing.delete(card);
  }

  #next() {
    while (this.playing.size < this.most && this.queue.length) {
      const card = this.queue.shift();
      const known = this.known.get(card);
      if (!known) continue;
      const done = () => {
        if (!this.queue.length) return;
        this.#stop(card);
        this.queue.push(card);
        this.#next();
      };
      this.playing.set(card, play(known.face, known.shot, done));
    }
  }
}
