/** Learning one instance: a button, how far it is, and what came out. */

import { fill, h } from "../core/dom.js";
import { percent, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { ended, store, watch } from "../core/store.js";
import { jobBar, jobWords, startJob } from "./jobs.js";

export class LearnPanel {
  constructor(instance) {
    this.instance = instance;
    this.element = h("section.learn", { "aria-label": "Learning" });
    this.stop = watch((what) => what.has("jobs") && this.job && this.#draw());
    this.report = null;
    this.#draw();
  }

  close() {
    this.closed = true;
    this.stop();
  }

  take(instance) {
    this.instance = instance;
    if (!this.job) this.#draw();
  }

  async start() {
    if (this.job || !this.instance.confirmed) return;
    const begun = await startJob({ kind: "learn", instances: [this.instance.id], method: "default" });
    if (!begun) return;
    this.job = begun;
    this.#draw();
    const job = await ended(begun);
    this.job = null;
    if (job.state === "done") this.report = job.result;
    if (this.closed) return;
    if (job.state === "done") this.instance = { ...this.instance, learned: "current" };
    this.#draw();
    this.button?.focus({ preventScroll: true });
  }

  #draw() {
    const job = this.job && (store.jobs.get(this.job.id) ?? this.job);
    if (job) {
      fill(this.element, h("div.learn-words", null, h("strong", null, "Learning"), h("span.muted.small", { role: "status" }, jobWords(job))), jobBar(job));
      return;
    }
    const { confirmed, learned } = this.instance;
    this.button = h("button.button", { type: "button", class: learned === "current" ? "" : "primary", disabled: !confirmed }, icon("learn"), learned === "never" ? "Learn now" : "Learn again", h("kbd", { "aria-hidden": "true" }, "L"));
    this.button.addEventListener("click", () => this.start());
    fill(this.element, h("div.learn-words", null, this.#words()), h("span.push"), this.button);
  }

  #words() {
    const { name, confirmed, learned } = this.instance;
    const mine = this.report?.learned.find((one) => one.name === name);
    if (mine) return this.#result(mine);
    if (!confirmed) return [h("strong", null, "No example yet"), h("span.muted.small", null, "Drop a photo of it here, or name it in a video.")];
    if (learned === "current") return [h("strong", null, "Learned"), h("span.muted.small", null, `from ${plural(confirmed, "example")}. Label some candidates below and learn again to make it surer.`)];
    const few = confirmed < 3 ? " Three or more from different days work best." : "";
    return [h("strong", null, learned === "stale" ? "Has changed since it was learned" : "Ready to learn"), h("span.muted.small", null, `${plural(confirmed, "example")}.${few} A search learns it by itself when needed.`)];
  }

  #result(mine) {
    const tested = mine.found !== null && mine.found !== undefined;
    const words = tested
      ? `Left out one by one, ${percent(mine.found)} of ${plural(mine.tried, "example")} were found above everything else (mean rank ${mine.mean_rank.toFixed(1)}).`
      : "With one example there is nothing to test it on; a second one tells how good it is.";
    const seconds = `Learned from ${plural(mine.examples, "example")} ${tookWords(this.report.seconds)}`;
    const alike = this.report.look_alikes.map((line) => h("span.small.remark", null, icon("alert"), line));
    return [h("strong", null, seconds), h("span.muted.small", { role: "status" }, words), alike];
  }
}

const tookWords = (seconds) => (seconds < 1 ? "in less than a second" : `in ${Math.round(seconds)} s`);
