/** Pages by the part of the address after "#": `#/watch/12?t=3.5` is the page "watch" of ["12"] at {t: "3.5"}. */

/**
 * Read an address.
 *
 * @param {string} hash
 * @returns {{page: string, parts: string[], query: URLSearchParams}}
 */
export function parse(hash) {
  const [path, search] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page, ...parts] = path.split("/").map((part) => safeDecode(part));
  return { page: page || "search", parts, query: new URLSearchParams(search ?? "") };
}

function safeDecode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Write an address.
 *
 * @param {string} page
 * @param {(string|number)[]} [parts]
 * @param {Object} [query] Empty values are left out, lists repeat their key.
 */
export function address(page, parts = [], query = {}) {
  const path = [page, ...parts].map((part) => encodeURIComponent(part)).join("/");
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "" && one !== false) search.append(key, one);
    }
  }
  const text = search.toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Go to an address; with `replace` the one left is forgotten. */
export function go(to, { replace = false } = {}) {
  if (replace) {
    history.replaceState(history.state, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = to;
  }
}

/** Change the address without showing the page again. */
export function note(to) {
  history.replaceState(history.state, "", to);
}
