/** Videos the browser cannot play: pieces made on demand by the server, joined with MediaSource. */

const AHEAD = 3;
const KEEP_BEHIND = 60;

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

/**
 * Play pieces in a video element.
 *
 * @param {HTMLVideoElement} video
 * @param {{type: string, seconds: number, count: number, duration: number, template: string}} how
 * @param {(error: Error) => void} onerror
 * @param {() => number} position The second that is wanted now.
 * @returns {() => void} Stops it.
 */
export function playSegments(video, how, onerror, position) {
  if (!Source || !Source.isTypeSupported(how.type)) {
    onerror(new Error("this browser can play neither the file nor a copy of it"));
    return () => {};
  }
  const media = new Source();
  const url = URL.createObjectURL(media);
  const have = new Set();
  let buffer = null;
  let busy = false;
  let stopped = false;
  let asking = null;

  const pieceAt = (time) => Math.min(how.count - 1, Math.max(0, Math.floor(time / how.seconds)));

  function missing() {
    const now = pieceAt(position());
    for (let n = now; n < Math.min(how.count, now + AHEAD); n += 1) if (!have.has(n)) return n;
    return -1;
  }

  async function pump() {
    if (busy || stopped || !buffer) return;
    const n = missing();
    if (n < 0) {
      finish();
      return;
    }
    busy = true;
    asking = new AbortController();
    try {
      const answer = await fetch(how.template.replace("{n}", n), { signal: asking.signal });
      if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.error ?? "a piece of the video cannot be made");
      await put(n, await answer.arrayBuffer());
      have.add(n);
    } catch (error) {
      if (error.name !== "AbortError") {
        stopped = true;
        onerror(error);
      }
    }
    busy = false;
    if (!stopped) pump();
  }

  async function put(n, piece) {
    await drop();
    buffer.timestampOffset = n * how.seconds;
    buffer.appendWindowEnd = how.duration;
    await updated(() => buffer.appendBuffer(piece));
  }

  async function drop() {
    const until = video.currentTime - KEEP_BEHIND;
    if (until <= 0 || !buffer.buffered.length || buffer.buffered.start(0) >= until - how.seconds) return;
    await updated(() => buffer.remove(0, until));
    for (const n of have) if ((n + 1) * how.seconds <= until) have.delete(n);
  }

  function updated(work) {
    return new Promise((resolve, reject) => {
      buffer.addEventListener("updateend", resolve, { once: true });
      buffer.addEventListener("error", () => reject(new Error("a piece of the video is broken")), { once: true });
      work();
    });
  }

  function finish() {
    const last = how.count - 1;
    if (have.has(last) && pieceAt(position()) + AHEAD > last && media.readyState === "open" && !buffer.updating) media.endOfStream();
  }

  const seeking = () => {
    const now = pieceAt(position());
    if (!have.has(now)) asking?.abort();
    pump();
  };
  media.addEventListener(
    "sourceopen",
    () => {
      URL.revokeObjectURL(url);
      media.duration = how.duration;
      buffer = media.addSourceBuffer(how.type);
      buffer.mode = "segments";
      pump();
    },
    { once: true },
  );
  video.addEventListener("seeking", seeking);
  video.addEventListener("timeupdate", pump);
  video.disableRemotePlayback = true;
  video.src = url;
  return () => {
    stopped = true;
    asking?.abort();
    video.removeEventListener("seeking", seeking);
    video.removeEventListener("timeupdate", pump);
  };
}
