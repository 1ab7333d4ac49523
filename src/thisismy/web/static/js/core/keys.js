/**
 * Shortcuts. Each page binds its own for as long as it is shown; the help overlay lists what is bound.
 *
 * @typedef {Object} Shortcut
 * @property {string} keys "a", "Enter", "Shift+ArrowLeft", "g s" (one after the other); several separated by "|".
 * @property {string} does What it does, for the help.
 * @property {(event: KeyboardEvent) => (boolean|void)} run Returning false leaves the key to the browser.
 * @property {boolean} [hidden] Not in the help.
 */

import { isTyping } from "./dom.js";

const groups = [];
let pending = "";
let pendingSince = 0;

/**
 * Bind shortcuts until the returned function is called.
 *
 * @param {string} title Of the group in the help.
 * @param {Shortcut[]} shortcuts
 * @returns {() => void}
 */
export function bind(title, shortcuts) {
  const group = { title, shortcuts };
  groups.unshift(group);
  return () => {
    const at = groups.indexOf(group);
    if (at >= 0) groups.splice(at, 1);
  };
}

/** What is bound now, the page's own first. */
export const bound = () => groups;

function nameOf(event) {
  const key = event.key === " " ? "Space" : event.key;
  const shifted = event.shiftKey && (key.length > 1 || /[a-z]/i.test(key));
  return (shifted ? "Shift+" : "") + (key.length === 1 ? key.toLowerCase() : key);
}

function lookup(pressed) {
  for (const group of groups) {
    for (const shortcut of group.shortcuts) {
      if (shortcut.keys.split("|").includes(pressed)) return shortcut;
    }
  }
  return null;
}

const startsPair = (pressed) =>
  groups.some((group) => group.shortcuts.some((one) => one.keys.split("|").some((k) => k.startsWith(`${pressed} `))));

/** Listen; called once. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) return;
    const pressed = nameOf(event);
    const pair = pending && performance.now() - pendingSince < 1200 ? lookup(`${pending} ${pressed}`) : null;
    pending = "";
    const shortcut = pair ?? lookup(pressed);
    if (shortcut) {
      // Enter and Space on a button or a link press it.
      const presses = pressed === "Enter" || pressed === "Space";
      if (presses && event.target.closest?.("button, a[href], summary, [role=option]")) return;
      if (shortcut.run(event) !== false) event.preventDefault();
    } else if (startsPair(pressed)) {
      pending = pressed;
      pendingSince = performance.now();
    }
  });
}
