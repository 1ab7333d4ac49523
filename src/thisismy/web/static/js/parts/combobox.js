/** A text field with suggestions, after the ARIA pattern "combobox with list". */

import { freshId, h, whenQuiet } from "../core/dom.js";

/**
 * Give an input suggestions.
 *
 * @param {HTMLInputElement} input
 * @param {Object} how
 * @param {(text: string, signal: AbortSignal) => Promise<Object[]>} how.suggest Suggestions for what is typed.
 * @param {(item: Object) => Node[]} how.show What one looks like.
 * @param {(item: Object) => void} how.choose
 * @param {string} how.label Of the list.
 * @param {number} [how.quiet] Milliseconds without typing before `suggest` is asked; 0 where it answers at once, so that
 *     the list always belongs to what stands in the input.
 * @param {HTMLElement} [how.box] Where the list hangs; the input's parent by default.
 * @returns {{close: () => void}}
 */
export function combobox(input, { suggest, show, choose, label, quiet = 0, box }) {
  const list = h("div.popover.options", { role: "listbox", id: freshId("options"), "aria-label": label, hidden: true });
  let items = [];
  let at = -1;
  let asking = null;
  const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false", autocomplete: "off" };
  for (const [key, value] of Object.entries(attributes)) input.setAttribute(key, value);
  (box ?? input.parentElement).append(list);

  function close() {
    asking?.abort();
    later.cancel();
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(to) {
    at = to;
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    const active = list.children[at];
    if (active) {
      input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function pick(index) {
    const item = items[index];
    close();
    choose(item);
  }

  async function ask() {
    asking?.abort();
    asking = new AbortController();
    const signal = asking.signal;
    const found = await suggest(input.value, signal).catch(() => []);
    if (signal.aborted || document.activeElement !== input) return;
    items = found;
    list.replaceChildren(
      ...items.map((item, index) => {
        const option = h("div", { role: "option", id: freshId("option"), "aria-selected": "false" }, show(item));
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          pick(index);
        });
        return option;
      }),
    );
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(items.length > 0));
    mark(-1);
  }

  const later = whenQuiet(quiet, ask);
  input.addEventListener("input", () => (quiet ? later() : later.now()));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (list.hidden) {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        later.now();
      }
      return;
    }
    if (event.key === "ArrowDown") mark((at + 2) % (items.length + 1) - 1);
    else if (event.key === "ArrowUp") mark(((at + 1 + items.length) % (items.length + 1)) - 1);
    else if (event.key === "Enter" && at >= 0) pick(at);
    else if (event.key === "Tab" && at >= 0) pick(at);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { close };
}
