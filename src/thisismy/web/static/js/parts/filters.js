/** The filters of a search: which files count, and how strict it is. */

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { openDialog } from "./dialog.js";

const KEYS = ["path", "after", "before", "min_duration", "max_duration", "kind", "by", "cutoff", "fold"];

/** The filters in an address; "" where one is not set. */
export function filtersOf(query) {
  return Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""]));
}

/** The button that opens them, with how many are set. */
export function filterButton(route, onchange) {
  const set = KEYS.filter((key) => route[key]).length;
  const button = h("button.button.compact.filter-button", { type: "button", "aria-pressed": String(set > 0) }, icon("filter"), set ? `Filters · ${set}` : "Filters");
  button.addEventListener("click", async () => {
    const changes = await openDialog("Filters", (close) => filterForm(route, close));
    if (changes) onchange(changes);
  });
  return button;
}

function filterForm(route, close) {
  const field = (key, label, props = {}) => {
    const input = h("input.input", { name: key, value: route[key], autocomplete: "off", ...props });
    return h("label.field", null, h("span", null, label), input);
  };
  const choice = (key, label, options) =>
    h(
      "label.field",
      null,
      h("span", null, label),
      h("select.select", { name: key }, options.map(([value, text]) => h("option", { value, selected: value === route[key] }, text))),
    );
  const form = h(
    "form.stack",
    null,
    field("path", "In files whose path has", { placeholder: "holidays or */2024/*.mp4", spellcheck: "false" }),
    h("div.pair", null, field("after", "Made on or after", { placeholder: "2024-07" }), field("before", "Made before", { placeholder: "2025" })),
    h(
      "div.pair",
      null,
      field("min_duration", "At least, seconds", { inputmode: "decimal", pattern: "[0-9]*[.]?[0-9]*" }),
      field("max_duration", "At most, seconds", { inputmode: "decimal", pattern: "[0-9]*[.]?[0-9]*" }),
    ),
    h(
      "div.pair",
      null,
      choice("kind", "What", [["", "Videos and photos"], ["video", "Videos"], ["photo", "Photos"]]),
      choice("by", "What must fit", [["", "The whole shot"], ["frame", "Its best frame"]]),
    ),
    h(
      "div.pair",
      null,
      choice("cutoff", "How sure", [["", "Good enough (95%)"], ["0.99", "Very sure (99%)"], ["0.8", "A hint will do (80%)"], ["0", "Show everything"]]),
      choice("fold", "Look-alikes", [["", "Folded into the best"], ["false", "Each shown"]]),
    ),
    h(
      "footer",
      null,
      h("button.button.plain", { type: "button", on: { click: () => close(Object.fromEntries(KEYS.map((key) => [key, ""]))) } }, "No filters"),
      h("button.button.primary", { type: "submit" }, "Apply"),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    close(Object.fromEntries(KEYS.map((key) => [key, String(data.get(key) ?? "").trim()])));
  });
  return form;
}
