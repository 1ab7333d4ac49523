/** The server's verbs. Every answer is JSON; every failure is an `ApiError` with one line for people. */

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Ask the server.
 *
 * @param {string} method
 * @param {string} path Under `/api`, with its leading slash.
 * @param {{query?: Object, body?: any, signal?: AbortSignal}} [options] `body` is sent as JSON, or as it is when it is
 *     FormData; values of `query` that are empty are left out and lists are repeated.
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
async function ask(method, path, { query, body, signal } = {}) {
  const form = body instanceof FormData;
  const init = { method, signal, headers: { Accept: "application/json" } };
  if (method !== "GET") {
    init.body = form ? body : JSON.stringify(body ?? {});
    if (!form) init.headers["Content-Type"] = "application/json";
  }
  const answer = await reach(`/api${path}${queryText(query)}`, init);
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(answer.status, said?.error ?? `the server answered ${answer.status}`);
  return said;
}

async function reach(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "thisismy does not answer: is it still running in its terminal?");
  }
}

function queryText(query) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") search.append(key, one);
    }
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

export const get = (path, query, signal) => ask("GET", path, { query, signal });
export const post = (path, body, signal, query) => ask("POST", path, { body, signal, query });
export const patch = (path, body) => ask("PATCH", path, { body });
export const remove = (path) => ask("DELETE", path);

/** Ask for a file and hand it to the person as a download. */
export async function download(path, body) {
  const answer = await reach(`/api${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => null);
    throw new ApiError(answer.status, said?.error ?? `the server answered ${answer.status}`);
  }
  const named = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(answer.headers.get("Content-Disposition") ?? "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = named ? decodeURIComponent(named[1]) : "thisismy";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return link.download;
}
