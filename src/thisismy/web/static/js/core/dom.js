/**
 * Elements from data. Text always becomes a text node, so nothing a file or a person is called can become markup.
 */

/**
 * Make an element.
 *
 * @param {string} tag "div", or "button.icon-button.yes" for a button with classes.
 * @param {Object} [props] Attributes; `on` holds listeners, `data` data attributes, `style` CSS properties, and a
 *     property starting with "." is set on the element itself. null, undefined and false leave an attribute out.
 * @param {...(Node|string|number|null|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.classList.add(...classes);
  for (const [key, value] of Object.entries(props ?? {})) set(element, key, value);
  append(element, children);
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (key === "data") Object.assign(element.dataset, value);
  else if (key === "style") for (const [name, to] of Object.entries(value)) element.style.setProperty(name, to);
  else if (key === "class") element.classList.add(...value.split(" ").filter(Boolean));
  else if (key.startsWith(".")) element[key.slice(1)] = value;
  else element.setAttribute(key, value === true ? "" : String(value));
}

/** Append children as `h` does. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Put children in place of what is there. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** Call at most once a frame, with the last arguments. */
export function eachFrame(call) {
  let waiting = null;
  let last = [];
  return (...args) => {
    last = args;
    waiting ??= requestAnimationFrame(() => {
      waiting = null;
      call(...last);
    });
  };
}

/** Call when nothing has happened for some milliseconds; `.now()` does not wait. */
export function whenQuiet(ms, call) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...args), ms);
  };
  later.now = (...args) => {
    clearTimeout(timer);
    call(...args);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Whether the system asks for little motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let numbers = 0;
/** An id no other element has. */
export const freshId = (prefix) => `${prefix}-${++numbers}`;

/** Whether keys typed now belong to a text field. */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target.tagName === "INPUT" && !["checkbox", "radio", "range", "button"].includes(target.type);
}
