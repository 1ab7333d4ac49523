/** A video with its time line and controls. Scrubbing never queues up seeks, so that long files stay smooth. */

import { h } from "../core/dom.js";
import { clock } from "../core/format.js";
import { icon } from "../core/icons.js";
import { playSegments } from "./segments.js";
import { Timeline } from "./timeline.js";

const RATES = [0.5, 1, 1.5, 2];

/** What a video or photo is shown on; it has its shape from the first moment, so that nothing below moves later. */
export function makeStage(media, shown) {
  const style = media.width && media.height ? { "--shape": `${media.width} / ${media.height}` } : {};
  return h("div.stage", { style }, shown);
}

export class Player {
  /**
   * @param {Object} media As `/media/{id}` says.
   * @param {{start?: number, ontime?: (time: number) => void, onerror?: (error: Error) => void}} how
   */
  constructor(media, { start = 0, ontime = () => {}, onerror = () => {} }) {
    Object.assign(this, { media, ontime, onerror });
    this.video = h("video", { playsinline: true, preload: "auto", tabindex: -1, "aria-label": `Video ${media.name}` });
    this.timeline = new Timeline({ duration: media.duration ?? 0, onseek: (time) => this.seek(time) });
    this.stage = makeStage(media, this.video);
    this.element = h("div.player", null, this.stage, this.timeline.element, this.#controls());
    this.wanted = null;
    this.wantsPlay = false;
    this.stopSegments = () => {};
    this.marks = [];
    this.#listen(start);
    this.#load(media.play);
  }

  get time() {
    return this.wanted ?? this.video.currentTime;
  }

  /** Go to a second; while one seek is under way only the latest other one is kept. */
  seek(time) {
    const to = Math.min(Math.max(0, time), Math.max(0, (this.media.duration ?? time) - 0.02));
    this.timeline.at(to);
    this.ontime(to);
    if (this.video.seeking || this.video.readyState === 0) this.wanted = to;
    else this.video.currentTime = to;
  }

  toggle() {
    if (this.wantsPlay) this.pause();
    else this.play();
  }

  play() {
    this.wantsPlay = true;
    // What cannot be played is told by the element's own "error"; not being allowed to start by itself is not an error.
    this.video.play().catch((error) => (this.wantsPlay &&= error.name !== "NotAllowedError"));
  }

  /** At the end of a seek that is under way: Chromium, paused on the way, takes itself to be where it came from. */
  pause() {
    this.wantsPlay = false;
    if (!this.video.seeking) this.video.pause();
  }

  /** The starts that "next" and "previous" go to. */
  setMarks(times) {
    this.marks = [...times].sort((a, b) => a - b);
    for (const button of [this.before, this.after]) button.disabled = !this.marks.length;
  }

  toMark(step) {
    const now = this.time;
    const to = step > 0 ? this.marks.find((time) => time > now + 0.25) : this.marks.findLast((time) => time < now - 1);
    if (to !== undefined) this.seek(to);
  }

  toggleSound() {
    this.video.muted = !this.video.muted;
  }

  step(seconds) {
    this.seek(this.time + seconds);
  }

  changeRate(direction) {
    const at = RATES.indexOf(this.video.playbackRate) + direction;
    this.video.playbackRate = RATES[Math.min(RATES.length - 1, Math.max(0, at))];
  }

  close() {
    this.stopSegments();
    this.timeline.close();
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }

  #load(play) {
    if (play.how === "segments") this.stopSegments = playSegments(this.video, play, this.onerror, () => this.time);
    else this.video.src = play.url;
  }

  #listen(start) {
    const video = this.video;
    if (start > 0) this.wanted = start;
    this.timeline.at(start);
    const settle = () => {
      if (this.wanted === null) {
        if (!this.wantsPlay) video.pause();
        return;
      }
      const to = this.wanted;
      this.wanted = null;
      video.currentTime = to;
    };
    video.addEventListener("loadedmetadata", settle);
    video.addEventListener("seeked", settle);
    video.addEventListener("error", () => this.#fail());
    const tick = () => {
      if (this.wanted === null && !video.seeking) {
        this.timeline.at(video.currentTime);
        this.ontime(video.currentTime);
      }
      this.clock.textContent = `${clock(this.time)} / ${clock(this.media.duration ?? 0)}`;
    };
    video.addEventListener("timeupdate", tick);
    video.addEventListener("seeked", tick);
    const smooth = () => {
      tick();
      if (!video.paused && video.isConnected) requestAnimationFrame(smooth);
    };
    video.addEventListener("play", () => requestAnimationFrame(smooth));
    const state = () => {
      const label = video.paused ? "Play" : "Pause";
      this.playButton.replaceChildren(icon(video.paused ? "play" : "pause"));
      this.playButton.setAttribute("aria-label", label);
      this.muteButton.replaceChildren(icon(video.muted ? "mute" : "sound"));
      this.muteButton.setAttribute("aria-label", video.muted ? "Sound on" : "Sound off");
      this.rate.textContent = `${video.playbackRate}×`;
    };
    video.addEventListener("pause", () => (this.wantsPlay &&= !video.paused));
    for (const event of ["play", "pause", "volumechange", "ratechange"]) video.addEventListener(event, state);
    video.addEventListener("click", () => this.toggle());
    state();
    tick();
  }

  #fail() {
    const code = this.video.error?.code;
    const other = this.media.play_fallback;
    if ((code === 3 || code === 4) && other && this.media.play.how === "file" && !this.fallen) {
      this.fallen = true;
      this.wanted = this.time;
      this.stopSegments = playSegments(this.video, other, this.onerror, () => this.time);
      if (this.wantsPlay) this.play();
    } else if (this.video.getAttribute("src")) this.onerror(new Error(`${this.media.name} cannot be played`));
  }

  #controls() {
    const button = (name, label, run) => h("button.icon-button", { type: "button", "aria-label": label, title: label, on: { click: run } }, icon(name));
    this.playButton = button("play", "Play", () => this.toggle());
    this.before = button("prev", "Previous mark (P)", () => this.toMark(-1));
    this.after = button("next", "Next mark (N)", () => this.toMark(1));
    this.muteButton = button("sound", "Sound off", () => this.toggleSound());
    this.rate = h("button.button.plain.compact.number", { type: "button", "aria-label": "Speed", title: "Speed" }, "1×");
    this.rate.addEventListener("click", () => {
      this.video.playbackRate = RATES[(RATES.indexOf(this.video.playbackRate) + 1) % RATES.length];
    });
    this.clock = h("span.number.small.muted");
    this.slot = h("span.row.push");
    for (const one of [this.before, this.after]) one.disabled = true;
    return h("div.controls", null, this.playButton, this.before, this.after, this.clock, this.slot, this.rate, this.muteButton, button("full", "Full screen", () => this.stage.requestFullscreen?.()));
  }
}
