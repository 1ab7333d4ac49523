/** Learning one instance: how, a button, how far it is, and what came out. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { percent, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { ended, store, watch } from "../core/store.js";
import { openDialog } from "./dialog.js";
import { jobBar, jobWords, startJob } from "./jobs.js";
import { toast, trying } from "./toast.js";

export class LearnPanel {
  constructor(instance) {
    this.instance = instance;
    this.method = instance.concept?.method ?? null;
    this.words = h("div.learn-words");
    this.how = h("button.button.plain.compact", { type: "button", "aria-haspopup": "dialog", on: { click: () => this.choose() } });
    this.button = h("button.button", { type: "button", on: { click: () => this.start() } });
    this.element = h("section.learn", { "aria-label": "Learning" });
    this.stop = watch((what) => what.has("jobs") && this.job && this.#draw());
    this.report = null;
    this.#draw();
    if (!this.method) this.#askMethod();
  }

  /** Not learned yet: it will be learned as the library learns. */
  async #askMethod() {
    const answer = await trying(() => get("/methods"));
    if (!answer || this.closed) return;
    this.method ??= answer.used;
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
    const begun = await startJob({ kind: "learn", instances: [this.instance.id], method: this.method });
    if (!begun) return;
    this.job = begun;
    this.#draw();
    const job = await ended(begun);
    this.job = null;
    if (job.state === "done") this.report = job.result;
    if (this.closed) return;
    if (job.state === "done") this.instance = { ...this.instance, learned: "current" };
    else if (job.error) toast(job.error, { bad: true });
    this.#draw();
    this.button.focus({ preventScroll: true });
  }

  /** Ask by which method to learn. */
  async choose() {
    if (this.job) return;
    const answer = await trying(() => get("/methods"));
    if (!answer || this.closed) return;
    const note = `All your things are learned in the same way, now by ${answer.used}.`;
    const chosen = await openDialog("How to learn", (close) => this.#choices(answer.items, close), { wide: true, note });
    if (!chosen) return;
    this.method = chosen;
    this.#draw();
    this.how.focus({ preventScroll: true });
  }

  #choices(methods, close) {
    const row = ({ name, about }) => {
      const on = name === this.method;
      const radio = h("input", { type: "radio", name: "method", value: name, ".checked": on });
      return h("li", null, h("label.pick.method", null, radio, h("span", null, h("strong", null, name), " ", h("small.muted", null, about))));
    };
    const form = h("form.stack", null, h("ul.pick-list", null, methods.map(row)), h("footer", null, h("button.button.primary", { type: "submit" }, "Use it")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close(new FormData(form).get("method"));
    });
    queueMicrotask(() => form.querySelector("input:checked")?.focus());
    return form;
  }

  #draw() {
    const job = this.job && (store.jobs.get(this.job.id) ?? this.job);
    if (job) {
      fill(this.words, h("strong", null, "Learning"), h("span.muted.small", { role: "status" }, jobWords(job)));
      fill(this.element, this.words, jobBar(job));
      return;
    }
    const { confirmed, learned } = this.instance;
    this.button.classList.toggle("primary", learned !== "current");
    this.button.disabled = !confirmed;
    fill(this.button, icon("learn"), learned === "never" ? "Learn now" : "Learn again", h("kbd", { "aria-hidden": "true" }, "L"));
    fill(this.how, this.method ? ["by ", h("strong", null, this.method)] : "How to learn", icon("down"));
    this.how.setAttribute("aria-label", this.method ? `Learn by ${this.method}. Choose another way` : "Choose how to learn");
    fill(this.words, this.#words());
    // Put in once: a button that is taken out of the page loses the focus.
    if (this.button.parentNode !== this.element) fill(this.element, this.words, h("span.row.push", null, this.how), this.button);
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
      ? `Left out one by one, ${percent(mine.found)} of ${plural(mine.tried, "example")} ranked above all ${plural(mine.others, "other shot")} (mean rank ${mine.mean_rank.toFixed(1)}).`
      : "With one example there is nothing to test it on; a second one tells how good it is.";
    const seconds = `Learned by ${this.report.method} from ${plural(mine.examples, "example")} ${tookWords(this.report.seconds)}`;
    const remarks = [...this.report.notes, ...this.report.look_alikes].map((line) => h("span.small.remark", null, icon("alert"), line));
    return [h("strong", null, seconds), h("span.muted.small", { role: "status" }, words), remarks];
  }
}

const tookWords = (seconds) => (seconds < 1 ? "in less than a second" : `in ${Math.round(seconds)} s`);
