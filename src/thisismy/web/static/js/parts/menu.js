/** A small menu under a button. */

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

let open = null;

/**
 * Open a menu.
 *
 * @param {HTMLElement} anchor
 * @param {{label: string, icon?: string, run: () => any, danger?: boolean}[]} entries
 */
export function openMenu(anchor, entries) {
  const again = open?.anchor === anchor;
  open?.close();
  if (again) return;
  const items = entries.map((entry) =>
    h(
      "button.menu-item",
      { type: "button", role: "menuitem", tabindex: -1, class: entry.danger ? "danger" : "" },
      entry.icon && icon(entry.icon),
      entry.label,
    ),
  );
  const menu = h("div.popover.menu", { role: "menu", "aria-label": anchor.getAttribute("aria-label") }, items);
  const close = () => {
    if (open?.menu !== menu) return;
    open = null;
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    removeEventListener("hashchange", close);
  };
  const outside = (event) => {
    if (!menu.contains(event.target) && !anchor.contains(event.target)) close();
  };
  items.forEach((item, at) => {
    item.addEventListener("click", () => {
      close();
      anchor.focus();
      entries[at].run();
    });
  });
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      close();
      anchor.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  open = { anchor, menu, close };
  anchor.setAttribute("aria-haspopup", "menu");
  anchor.setAttribute("aria-expanded", "true");
  document.body.append(menu);
  place(menu, anchor);
  document.addEventListener("pointerdown", outside, true);
  addEventListener("hashchange", close);
  items[0]?.focus();
}

function place(menu, anchor) {
  const near = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.min(Math.max(8, near.right - size.width), innerWidth - size.width - 8);
  const below = near.bottom + 6;
  const top = below + size.height > innerHeight - 8 ? Math.max(8, near.top - size.height - 6) : below;
  menu.style.left = `${left + scrollX}px`;
  menu.style.top = `${top + scrollY}px`;
}
