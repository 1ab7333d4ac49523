/** The bar that comes up when shots are selected. */

import { h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";

/** Make it; `set(n)` shows how many are selected. */
export function selectionBar({ onexport, onclear, onname }) {
  const words = h("strong.number");
  const button = (label, name, run) => h("button.button.compact", { type: "button", on: { click: run } }, icon(name), label);
  const element = h(
    "section.selection",
    { "aria-label": "Selected shots", hidden: true },
    words,
    button("This is …", "name", onname),
    button("Clips", "clips", () => onexport("clips")),
    button("Picture", "photo", () => onexport("sheet")),
    button("Table", "table", () => onexport("csv")),
    button("For an editor", "download", () => onexport("edl")),
    h("button.icon-button", { type: "button", "aria-label": "Select nothing", on: { click: onclear } }, icon("close")),
  );
  let unbind = null;
  return {
    element,
    set(n) {
      element.hidden = n === 0;
      words.textContent = `${plural(n, "shot")}`;
      unbind?.();
      unbind = n
        ? bind("Selected shots", [
            { keys: "Escape", does: "Select nothing", run: onclear },
            { keys: "e", does: "Save as clips", run: () => onexport("clips") },
          ])
        : null;
    },
    close: () => unbind?.(),
  };
}
