/** Watching: the video from the right second, what was found on its time line, what is said beside it; and naming. */

import { get } from "../core/api.js";
import { append, fill, h } from "../core/dom.js";
import { clock, day, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, note, parse } from "../core/router.js";
import { watch } from "../core/store.js";
import { BoxLayer } from "../parts/box.js";
import { startJob } from "../parts/jobs.js";
import { nameForm } from "../parts/naming.js";
import { makeStage, Player } from "../parts/player.js";
import { sayNames } from "../parts/searchbox.js";
import { Strip } from "../parts/strip.js";
import { complain, trying } from "../parts/toast.js";
import { Transcript } from "../parts/transcript.js";

export function show(root, to) {
  return new WatchView(root, to);
}

class WatchView {
  constructor(root, to) {
    this.root = root;
    this.id = Number(to.parts[0]);
    this.title = "Watch";
    this.hits = [];
    this.shots = [];
    this.stop = [watch((what) => this.#changed(what))];
    this.#open(to);
  }

  /** Another second of the same video. */
  update(to) {
    if (to.page !== "watch" || Number(to.parts[0]) !== this.id || !this.media) return false;
    this.player?.seek(Number(to.query.get("t") ?? 0));
    return true;
  }

  close() {
    this.closed = true;
    this.player?.close();
    this.layer?.close();
    this.shown?.close();
    for (const stop of this.stop) stop();
  }

  async #open(to) {
    const found = await trying(() => get(`/media/${this.id}`));
    if (this.closed) return;
    if (!found) {
      fill(this.root, h("div.empty", null, h("h2", null, "This video is not here any more"), h("a.button", { href: "#/search" }, "Back to Search")));
      return;
    }
    this.media = found;
    this.title = found.name;
    dispatchEvent(new CustomEvent("title", { detail: found.name }));
    this.#draw(to);
    await Promise.all([this.#loadShots(), this.#loadHits(to), this.#loadNamed(), this.#loadTranscript()]);
    if (to.query.get("name") && !this.closed) this.#openNaming();
  }

  #draw(to) {
    const { media } = this;
    const back = h("button.button.plain.compact", { type: "button", on: { click: () => history.back() } }, icon("back"), "Back");
    const facts = [day(media.created), media.duration && clock(media.duration), media.width && `${media.width} × ${media.height}`].filter(Boolean);
    const head = h("header.watch-head", null, back, h("h1.clip", { title: media.path }, media.name), h("span.faint.small.number", null, facts.join(" · ")));
    this.side = h("aside.side", { "aria-label": "Beside the video" });
    this.strip = h("div");
    this.naming = h("button.button.primary.compact", { type: "button" }, icon("name"), "This is …", h("kbd", { "aria-hidden": "true" }, "I"));
    this.naming.addEventListener("click", () => this.#openNaming());
    const stage = media.kind === "photo" ? this.#drawPhoto() : this.#drawVideo(to);
    fill(this.root, head, h("div.watch", { class: media.kind === "photo" ? "still" : "" }, h("div.watching", null, stage, this.strip), this.side));
    this.#bindKeys();
    this.player?.play();
  }

  #drawVideo(to) {
    this.player = new Player(this.media, {
      start: Number(to.query.get("t") ?? 0),
      ontime: (time) => this.#tick(time),
      onerror: complain,
    });
    this.layer = new BoxLayer(this.player.video, (box) => this.#boxChanged(box));
    this.player.stage.append(this.layer.element);
    this.player.slot.append(this.naming);
    get(`/media/${this.id}/sprites`)
      .then((sprites) => this.player.timeline.setSprites(sprites))
      .catch(() => {}); // without them the time line just shows times
    return this.player.element;
  }

  #drawPhoto() {
    const image = h("img.photo", { src: this.media.play.url, alt: this.media.name });
    this.layer = new BoxLayer(image, (box) => this.#boxChanged(box));
    return h("div.player", null, append(makeStage(this.media, image), [this.layer.element]), h("div.controls", null, h("span.row.push", null, this.naming)));
  }

  #bindKeys() {
    const keys = [
      { keys: "i", does: "This is … (name what is seen now)", run: () => this.#openNaming() },
      { keys: "b", does: "Draw a box while naming", run: () => (this.panel ? this.layer.begin() : false) },
      { keys: "Escape", does: "Close naming, or go back", run: () => (this.panel ? this.#closeNaming() : history.back()) },
    ];
    if (this.player) {
      const { player } = this;
      keys.push(
        { keys: "Space|k", does: "Play or pause", run: () => player.toggle() },
        { keys: "ArrowLeft", does: "5 seconds back", run: () => player.step(-5) },
        { keys: "ArrowRight", does: "5 seconds on", run: () => player.step(5) },
        { keys: "Shift+ArrowLeft", does: "One frame back", run: () => this.#frame(-1) },
        { keys: "Shift+ArrowRight", does: "One frame on", run: () => this.#frame(1) },
        { keys: "n", does: "Next mark", run: () => player.toMark(1) },
        { keys: "p", does: "Previous mark", run: () => player.toMark(-1) },
        { keys: "s", does: "Next shot", run: () => this.#toShot(1) },
        { keys: "Shift+s", does: "Previous shot", run: () => this.#toShot(-1) },
        { keys: ">|.", does: "Faster", run: () => player.changeRate(1) },
        { keys: "<|,", does: "Slower", run: () => player.changeRate(-1) },
        { keys: "m", does: "Sound on or off", run: () => player.toggleSound() },
        { keys: "Home", does: "To the beginning", run: () => player.seek(0) },
      );
    }
    this.stop.push(bind("Video", keys));
  }

  #frame(step) {
    const [up, down] = (this.media.frame_rate ?? "25").split("/").map(Number);
    this.player.pause();
    this.player.step(step / (up / (down || 1) || 25));
  }

  #toShot(step) {
    const at = this.shots.findLastIndex((shot) => shot.start <= this.player.time + 0.05);
    const to = this.shots[at + step];
    if (to) this.player.seek(to.start + 0.04);
  }

  async #loadShots() {
    const answer = await trying(() => get(`/media/${this.id}/shots`, { limit: 5000 }));
    if (!answer || this.closed) return;
    this.shots = answer.items;
    this.player?.timeline.setShots(this.shots);
    this.#drawStrip();
  }

  #drawStrip() {
    if (this.media.kind === "photo" || this.shots.length < 2) return;
    this.shown = new Strip({ shots: this.shots, onpick: (shot) => this.player.seek(shot.start + 0.04) });
    fill(this.strip, this.shown.element);
    this.#tick(this.player.time);
  }

  async #loadHits(to) {
    const q = to.query.get("q");
    const like = to.query.getAll("like");
    if (!q && !like.length) return;
    this.query = q;
    const answer = await trying(() => get("/search", { q: q && sayNames(q), like, media: this.id, fold: "false", k: 200 }));
    if (!answer || this.closed) return;
    this.hits = answer.hits;
    this.player?.timeline.setHits(this.hits);
    this.#setMarks();
    if (this.hits.length && this.player) {
      const words = h("span.tag.mark.clip", { title: q ?? "" }, plural(this.hits.length, "hit"), q && ` for “${q}”`);
      this.player.slot.before(words);
    }
  }

  async #loadNamed() {
    const answer = await trying(() => get(`/media/${this.id}/instances`));
    if (!answer || this.closed) return;
    this.named = answer.items;
    this.player?.timeline.setNamed(this.named);
    this.#setMarks();
    const seen = new Map(this.named.filter((one) => one.state === "confirmed").map((one) => [one.instance_id, one.name]));
    const chips = [...seen].map(([id, name]) => h("a.chip.bare", { href: address("thing", [id]) }, name));
    this.namedRow?.remove();
    this.namedRow = h("div.row.wrap.named-row", null, h("span.label", null, "Named here"), chips);
    if (chips.length) this.strip.before(this.namedRow);
  }

  #setMarks() {
    const marks = this.hits.length ? this.hits : (this.named ?? []).filter((one) => one.state !== "rejected");
    this.player?.setMarks(marks.map((one) => one.start));
  }

  async #loadTranscript() {
    if (this.media.kind === "photo") return;
    const answer = this.media.transcribed && (await get(`/media/${this.id}/transcript`).catch(() => null));
    if (this.closed) return;
    if (answer?.segments.length) {
      this.transcript = new Transcript({ segments: answer.segments, onseek: (time) => this.player.seek(time) });
    }
    this.#drawSide();
    this.transcript?.at(this.player.time);
  }

  /** What stands beside the video: the form while naming, else the words. */
  #drawSide() {
    if (this.panel?.isConnected) return;
    if (this.panel) fill(this.side, this.panel);
    else if (this.media.kind === "photo") fill(this.side);
    else if (this.transcript) fill(this.side, h("h2", null, "What is said"), this.transcript.element);
    else this.#drawNoTranscript();
  }

  #drawNoTranscript() {
    const button = h("button.button.compact", { type: "button" }, "Listen to it");
    button.addEventListener("click", () => startJob({ kind: "transcribe", speech: true }));
    fill(this.side, h("h2", null, "What is said"), h("p.muted", null, "There is no transcript yet. Subtitles beside the file are read by themselves; speech can be listened to."), button);
  }

  #tick(time) {
    // While a finger is on the time line, words and shots would rush by and hold up the video.
    if (this.player?.timeline.dragging) return;
    this.transcript?.at(time);
    if (!this.shown?.at(time)) return;
    const { query } = parse(location.hash);
    note(address("watch", [this.id], { t: time.toFixed(2), q: query.get("q"), like: query.getAll("like") }));
  }

  #openNaming() {
    if (this.panel) return;
    this.player?.pause();
    const photo = this.media.kind === "photo";
    const shot = () => this.shots.findLast((one) => one.start <= this.player.time + 0.05);
    this.layer.show(true);
    this.boxWords = h("span.small.muted");
    const draw = h("button.button.compact", { type: "button" }, icon("box"), "Draw a box");
    draw.addEventListener("click", () => (this.layer.box ? this.layer.set(null) : this.layer.begin()));
    this.boxButton = draw;
    const form = nameForm({
      where: () => ({
        places: [photo ? { shot_id: this.shots[0].shot_id } : { media_id: this.id, time: this.player.time }],
        box: this.layer.box,
      }),
      ondone: () => this.#closeNaming(),
      extra: h("div.stack.box-field", null, h("div.row", null, draw), this.boxWords),
    });
    const close = h("button.icon-button.push", { type: "button", "aria-label": "Close naming" }, icon("close"));
    close.addEventListener("click", () => this.#closeNaming());
    const now = !photo && shot();
    const where = photo ? "on this photo" : now ? `in the shot ${clock(now.start)} – ${clock(now.end)}` : "on this frame";
    this.panel = h("section.naming-panel", { "aria-label": "Naming" }, h("div.row", null, h("h2", null, "Whose is this?"), close), h("p.muted.small", null, `What is seen ${where}.`), form);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.#closeNaming();
    });
    this.#drawSide();
    this.#boxChanged(null);
    form.querySelector("input").focus();
  }

  #boxChanged(box) {
    if (!this.boxWords) return;
    this.boxWords.textContent = box ? "It is learned from what is inside. Drag the box, or use arrow keys (with Shift to resize)." : "If it is small in the picture, drag a box around it.";
    fill(this.boxButton, icon(box ? "close" : "box"), box ? "No box" : "Draw a box");
  }

  #closeNaming() {
    this.panel = null;
    this.layer.show(false);
    this.#drawSide();
    this.naming.focus();
  }

  #changed(what) {
    if (!this.media) return;
    if (what.has("instances")) this.#loadNamed();
    if (what.has("transcripts") && !this.transcript) {
      this.media.transcribed = true;
      this.#loadTranscript();
    }
  }
}
