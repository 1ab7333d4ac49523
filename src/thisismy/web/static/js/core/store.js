/**
 * What every page shares: the state of the server, its jobs and its instances, kept fresh by server-sent events.
 *
 * Listeners get a set of words of what changed: "status", "jobs", "instances", "library", "mentions", "vocabulary",
 * "transcripts".
 */

import { get } from "./api.js";
import { whenQuiet } from "./dom.js";

export const store = {
  /** @type {Object|null} As `/api/status` says; null before the first answer. */
  status: null,
  /** @type {Map<number, Object>} Waiting, running, and those that ended while the page was open. */
  jobs: new Map(),
  /** @type {Object[]} */
  instances: [],
  connected: true,
};

const listeners = new Set();
const waiting = new Map();

/** Hear of changes until the returned function is called. */
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tell(...what) {
  const words = new Set(what);
  for (const listener of [...listeners]) listener(words);
}

/** Read the status and the instances again. */
export async function refresh() {
  const [status, instances] = await Promise.all([get("/status"), get("/instances")]);
  take(status);
  store.instances = instances.items;
  tell("status", "jobs", "instances");
}

function take(status) {
  store.status = status;
  for (const job of status.jobs ?? []) store.jobs.set(job.id, job);
}

const changes = new Set();

/** Read again, then say what has changed: who listens finds the state as it is now. */
const again = whenQuiet(100, async () => {
  const words = [...changes];
  changes.clear();
  await refresh().catch(() => {}); // said by the event stream, which breaks as well
  tell(...words);
});

/** Listen to the server; called once. EventSource comes back by itself when the connection breaks. */
export function connect() {
  const events = new EventSource("/api/events");
  events.addEventListener("hello", (event) => {
    const before = store.status;
    take(JSON.parse(event.data));
    store.connected = true;
    if (before && before.generation !== store.status.generation) again();
    tell("status", "jobs");
  });
  events.addEventListener("job", (event) => putJob(JSON.parse(event.data)));
  events.addEventListener("changed", (event) => {
    for (const word of JSON.parse(event.data).what) changes.add(word);
    again();
  });
  events.addEventListener("error", () => {
    store.connected = false;
    tell("status");
  });
  addEventListener("pagehide", () => events.close());
}

/** Note the state of a job, and wake who waits for its end. */
export function putJob(job) {
  const known = store.jobs.get(job.id);
  if (known && isOver(known) && !isOver(job)) return;
  store.jobs.set(job.id, job);
  tell("jobs");
  if (isOver(job)) {
    again();
    for (const resolve of waiting.get(job.id) ?? []) resolve(job);
    waiting.delete(job.id);
  }
}

export const isOver = (job) => ["done", "failed", "cancelled"].includes(job.state);

/** Jobs that wait or run. */
export const activeJobs = () => [...store.jobs.values()].filter((job) => !isOver(job));

/** The end of a job. */
export function ended(job) {
  const known = store.jobs.get(job.id) ?? job;
  if (isOver(known)) return Promise.resolve(known);
  return new Promise((resolve) => {
    waiting.set(job.id, [...(waiting.get(job.id) ?? []), resolve]);
  });
}

export const instanceById = (id) => store.instances.find((one) => one.id === id) ?? null;
