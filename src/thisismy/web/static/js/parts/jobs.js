/** What the server is doing: a ring in the bar on top, and a list under it. */

import { post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, clock, count, plural } from "../core/format.js";
import { address } from "../core/router.js";
import { activeJobs, isOver, putJob, store, watch } from "../core/store.js";
import { toast, trying } from "./toast.js";

let panel = null;
const announced = new Set();

/** Start a job and give it; a failure is said and gives null. */
export async function startJob(body) {
  const job = await trying(() => post("/jobs", body));
  if (job) putJob(job);
  return job;
}

/** The share done, or null while it is not known. */
export const shareOf = (job) => (job.total ? Math.min(1, job.done / job.total) : null);

/** A bar that shows how far a job is. */
export function jobBar(job) {
  const share = shareOf(job);
  const fillBar = h("i");
  if (share !== null) fillBar.style.width = `${share * 100}%`;
  return h(
    "div.bar",
    {
      class: share === null ? "unknown" : "",
      role: "progressbar",
      "aria-label": job.title,
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": share === null ? null : Math.round(share * 100),
    },
    fillBar,
  );
}

/** What a job is doing, in words. */
export function jobWords(job) {
  if (job.state === "waiting") return "waiting for its turn";
  if (job.state === "failed") return job.error ?? "failed";
  if (job.state === "cancelled") return "stopped; what was finished is kept";
  if (job.state === "done") return endWords(job);
  if (!job.total) return job.stage ?? "starting";
  const left = leftWords(job);
  // Of videos, what is done is counted in seconds; of downloads, in bytes.
  if (["index", "transcribe"].includes(job.stage)) return `${clock(job.done)} of ${clock(job.total)} of video${left}`;
  if (job.stage.startsWith("download")) return `${job.stage} ${bytes(job.done)} of ${bytes(job.total)}${left}`;
  return `${job.stage} ${count(Math.round(job.done))} of ${count(Math.round(job.total))}${left}`;
}

/** How long it may still take, once enough is done to tell. */
function leftWords(job) {
  const share = shareOf(job);
  const spent = (Date.now() - Date.parse(job.started_at ?? "")) / 1000;
  if (!(spent > 8) || share < 0.02 || share >= 1) return "";
  const left = (spent / share) * (1 - share);
  return left < 60 ? ", less than a minute left" : `, about ${plural(Math.round(left / 60), "minute")} left`;
}

function endWords({ kind, result }) {
  if (!result) return "done";
  if (kind === "index") {
    const parts = [result.added && `${plural(result.added, "file")} added`, result.changed && `${count(result.changed)} changed`, result.unchanged && `${count(result.unchanged)} unchanged`, result.failed?.length && `${count(result.failed.length)} failed`];
    return parts.filter(Boolean).join(", ") || "nothing new";
  }
  if (kind === "mine") return `${plural(result.mentions, "mention")}, ${count(result.open)} to review`;
  if (kind === "learn") return result.learned.length ? `learned ${result.learned.map((one) => one.name).join(", ")}` : "nothing to learn";
  if (kind === "transcribe") return `${count(result.read)} read, ${count(result.heard)} heard`;
  if (kind === "forget") return `${plural(result.removed, "file")} forgotten`;
  return "done";
}

function row(job) {
  const stop = !isOver(job) && h("button.button.compact.plain", { type: "button" }, "Stop");
  if (stop) {
    stop.addEventListener("click", async () => {
      const after = await trying(() => post(`/jobs/${job.id}/cancel`));
      if (after) putJob(after);
    });
  }
  return h(
    "li.job",
    { data: { state: job.state } },
    h("div.row", null, h("strong.clip", null, job.title), stop && h("span.push", null, stop)),
    job.state === "running" && jobBar(job),
    h("p.small", { class: job.state === "failed" ? "bad-words" : "muted" }, jobWords(job)),
  );
}

/** The button in the bar on top. */
export function jobsButton() {
  const ring = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  ring.setAttribute("viewBox", "0 0 36 36");
  ring.setAttribute("class", "ring");
  ring.setAttribute("aria-hidden", "true");
  for (const kind of ["ring-track", "ring-done"]) {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [key, value] of Object.entries({ cx: 18, cy: 18, r: 14, pathLength: 100, class: kind })) circle.setAttribute(key, value);
    ring.append(circle);
  }
  const label = h("span.small");
  const button = h("button.jobs-button", { type: "button", id: "jobs", "aria-expanded": "false", hidden: true }, ring, label);
  button.addEventListener("click", toggleJobs);
  const draw = () => {
    const active = activeJobs();
    const now = active.find((job) => job.state === "running") ?? active[0];
    button.hidden = !now && !panel;
    const share = now ? shareOf(now) : 1;
    ring.classList.toggle("unknown", share === null);
    ring.lastChild.style.strokeDasharray = `${Math.round((share ?? 0.25) * 100)} 100`;
    label.textContent = now ? now.title : "Done";
    button.title = now ? jobWords(now) : "";
    if (panel) drawPanel();
    announce();
  };
  watch((what) => what.has("jobs") && draw());
  return button;
}

function announce() {
  for (const job of store.jobs.values()) {
    if (!isOver(job) || announced.has(job.id)) continue;
    announced.add(job.id);
    if (Date.now() - Date.parse(job.finished_at ?? 0) > 60_000) continue;
    if (job.state === "failed") toast(`${job.title}: ${job.error}`, { bad: true });
    else if (job.state === "done" && job.kind !== "learn") {
      const failures = job.kind === "index" && job.result?.failed?.length;
      const to = failures ? address("library") : job.kind === "mine" && job.result?.open ? address("mined") : null;
      toast(`${job.title}: ${jobWords(job)}`, to ? { undo: () => (location.hash = to), label: "Show" } : {});
    }
  }
}

/** Open or close the list of jobs. */
export function toggleJobs() {
  const button = document.getElementById("jobs");
  if (panel) {
    closePanel();
    return;
  }
  panel = h("section.popover.jobs-panel", { "aria-label": "What is being done", tabindex: -1 });
  document.getElementById("top").append(panel);
  button.hidden = false;
  button.setAttribute("aria-expanded", "true");
  drawPanel();
  panel.focus();
  document.addEventListener("pointerdown", outside, true);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && closePanel());
}

function outside(event) {
  if (!panel.contains(event.target) && !event.target.closest("#jobs")) closePanel();
}

function closePanel() {
  panel.remove();
  panel = null;
  document.removeEventListener("pointerdown", outside, true);
  const button = document.getElementById("jobs");
  button.setAttribute("aria-expanded", "false");
  button.hidden = !activeJobs().length;
  button.focus();
}

function drawPanel() {
  const jobs = [...store.jobs.values()].sort((a, b) => b.id - a.id).slice(0, 12);
  const rows = jobs.length ? h("ul.stack", null, jobs.map(row)) : h("p.muted", null, "Nothing is being done.");
  fill(panel, h("h2", null, "What is being done"), rows);
}
