/** Short news at the bottom of the page. */

import { h } from "../core/dom.js";

const box = () => document.getElementById("toasts");

/**
 * Say something.
 *
 * @param {string} text
 * @param {{undo?: () => any, label?: string, bad?: boolean, seconds?: number}} [options] `undo` makes a button.
 * @returns {() => void} Takes it away.
 */
export function toast(text, { undo, label = "Undo", bad = false, seconds = undo || bad ? 7 : 3.5 } = {}) {
  const element = h("div.toast", { class: bad ? "bad" : "" }, h("span", null, text));
  const close = () => element.remove();
  if (undo) {
    const press = () => {
      close();
      undo();
    };
    element.append(h("button", { type: "button", on: { click: press } }, label));
  }
  const all = box();
  while (all.children.length >= 3) all.firstChild.remove();
  all.append(element);
  let timer = setTimeout(close, seconds * 1000);
  element.addEventListener("pointerenter", () => clearTimeout(timer));
  element.addEventListener("pointerleave", () => (timer = setTimeout(close, 2000)));
  return close;
}

/** Say what went wrong. */
export function complain(error) {
  if (error.name === "AbortError") return;
  toast(error.message, { bad: true });
}

/** Run something, and say it when it fails; gives null then. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return null;
  }
}
