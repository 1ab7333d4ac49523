/** The box to type in: names of instances are completed with their picture, and shown as chips where they stand. */

import { fill, h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { store, watch } from "../core/store.js";
import { combobox } from "./combobox.js";
import { face } from "./face.js";

const fold = (text) => text.toLocaleLowerCase();

/** Every name and alias with its instance, longest first. */
function knownNames() {
  const names = store.instances.flatMap((instance) => [instance.name, ...instance.aliases].map((name) => ({ name, instance })));
  return names.sort((a, b) => b.name.length - a.name.length);
}

/**
 * Where names stand in a text.
 *
 * @returns {{start: number, end: number, instance: Object}[]} In order, not overlapping.
 */
export function findNames(text) {
  const low = fold(text);
  const found = [];
  const free = (start, end) => found.every((one) => end <= one.start || start >= one.end);
  const edge = (at) => at < 0 || at >= low.length || !/[\p{L}\p{N}]/u.test(low[at]);
  for (const { name, instance } of knownNames()) {
    const wanted = fold(name);
    for (let at = low.indexOf(wanted); at >= 0 && wanted; at = low.indexOf(wanted, at + 1)) {
      const end = at + wanted.length;
      if (edge(at - 1) && edge(end) && free(at, end)) found.push({ start: at, end, instance });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** A query in which names that could be read otherwise stand as numbers. */
export function sayNames(text) {
  let said = "";
  let at = 0;
  for (const { start, end, instance } of findNames(text)) {
    const name = text.slice(start, end);
    said += text.slice(at, start) + (/[<>*]/.test(name) ? `<#${instance.id}>` : name);
    at = end;
  }
  return said + text.slice(at);
}

/** Instances one may mean by the words before the caret, and where these words begin. */
export function completions(text, caret) {
  const before = text.slice(0, caret);
  const whole = findNames(text);
  if (whole.some((one) => one.end === caret || (one.start < caret && caret < one.end))) return { start: caret, items: [] };
  if (!before.trim()) return { start: 0, items: byUse().slice(0, 6) };
  const starts = [...before.matchAll(/(?:^|\s)(?=\S)/g)].map((match) => match.index + match[0].length);
  for (const start of starts.slice(-6)) {
    const typed = fold(before.slice(start)).replace(/^</, "");
    if (!typed.trim() || /\s$/.test(typed)) continue;
    const items = byUse().filter((one) => [one.name, ...one.aliases].some((name) => begins(fold(name), typed)));
    if (items.length) return { start, items: items.slice(0, 6) };
  }
  return { start: caret, items: [] };
}

const byUse = () => [...store.instances].sort((a, b) => b.confirmed - a.confirmed || a.name.localeCompare(b.name));
const begins = (name, typed) => name.startsWith(typed) || name.includes(` ${typed}`);

/**
 * Make the box.
 *
 * @param {{onsearch: (text: string) => void, onphoto: (file: File) => void}} how
 * @returns {{element: HTMLElement, input: HTMLInputElement, set: (text: string) => void, close: () => void}}
 */
export function searchBox({ onsearch, onphoto }) {
  const input = h("input.search-input", {
    type: "text",
    name: "q",
    "aria-label": "What to look for",
    placeholder: "my dog Biscuit on a beach",
    spellcheck: "false",
    autocapitalize: "off",
    enterkeyhint: "search",
    maxlength: 500,
  });
  const mirror = h("div.search-mirror", { "aria-hidden": "true" });
  const lead = h("span.search-lead", { "aria-hidden": "true" }, icon("search"));
  const clear = h("button.icon-button", { type: "button", "aria-label": "Clear", hidden: true }, icon("close"));
  const file = h("input", { type: "file", accept: "image/*", hidden: true, "aria-label": "Photo to search with" });
  const photo = h("button.icon-button", { type: "button", "aria-label": "Search with a photo", title: "Search with a photo" }, icon("photo"));
  const submit = h("button.button.primary.search-go", { type: "submit" }, "Search");
  const form = h("form.search-box", { role: "search" }, lead, h("div.search-text", null, mirror, input), clear, photo, file, submit);

  function draw() {
    const text = input.value;
    const names = findNames(text);
    const parts = [];
    let at = 0;
    for (const { start, end } of names) {
      parts.push(text.slice(at, start), h("mark", null, text.slice(start, end)));
      at = end;
    }
    fill(mirror, parts, text.slice(at), " ");
    mirror.scrollLeft = input.scrollLeft;
    const faces = [...new Set(names.map((one) => one.instance))].slice(0, 3);
    fill(lead, faces.length ? faces.map(face) : icon("search"));
    clear.hidden = !text;
  }

  const choices = combobox(input, {
    label: "Your things",
    box: form,
    suggest: async (text) => {
      const { start, items } = completions(text, input.selectionStart ?? text.length);
      return items.map((instance) => ({ instance, start }));
    },
    show: ({ instance }) => [face(instance), h("span", null, h("strong", null, instance.name), " ", h("small", null, instance.category))],
    choose: ({ instance, start }) => {
      const after = input.value.slice(input.selectionStart ?? input.value.length);
      const before = `${input.value.slice(0, start)}${instance.name} `;
      input.value = before + after.replace(/^\s+/, "");
      input.setSelectionRange(before.length, before.length);
      draw();
      input.focus();
    },
  });
  input.addEventListener("input", draw);
  input.addEventListener("scroll", () => (mirror.scrollLeft = input.scrollLeft));
  input.addEventListener("keydown", (event) => event.key === "Escape" && input.blur());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choices.close();
    onsearch(input.value.trim());
  });
  clear.addEventListener("click", () => {
    input.value = "";
    draw();
    input.focus();
    onsearch("");
  });
  photo.addEventListener("click", () => file.click());
  file.addEventListener("change", () => file.files[0] && onphoto(file.files[0]));
  const stop = watch((what) => what.has("instances") && draw());
  return {
    element: form,
    input,
    set(text) {
      input.value = text;
      draw();
    },
    close: stop,
  };
}
