/** What can be done with keys, here and now. */

import { h } from "../core/dom.js";
import { bound } from "../core/keys.js";
import { openDialog } from "./dialog.js";

const NAMES = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  Backspace: "⌫",
};

let open = false;

/** Show the help. */
export async function showHelp() {
  if (open) return;
  open = true;
  const groups = bound().filter((group) => group.shortcuts.some((one) => !one.hidden));
  await openDialog(
    "Keys",
    () =>
      h(
        "div.keys",
        null,
        groups.map((group) =>
          h(
            "section",
            null,
            h("h3", null, group.title),
            h(
              "dl",
              null,
              group.shortcuts.filter((one) => !one.hidden).map((one) => h("div", null, h("dt", null, caps(one.keys)), h("dd", null, one.does))),
            ),
          ),
        ),
        h("p.muted.small", null, "Lists and grids: arrow keys, Page up and down, Home, End. Escape closes what is open."),
      ),
    { wide: true },
  );
  open = false;
}

/** Keys as caps: "g s" is two, "a|b" is one or the other. */
export function caps(keys) {
  return keys.split("|").map((one, at) => [
    at > 0 && h("span.faint.small", null, " or "),
    one.split(/[ +](?=.)/).map((key) => h("kbd", null, NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key))),
  ]);
}
