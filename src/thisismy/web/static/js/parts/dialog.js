/** Dialogs: the browser's own, which keep the focus inside and close with Escape. */

import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";

/**
 * Open a dialog.
 *
 * @param {string} title
 * @param {(close: (value?: any) => void) => (Node|Node[])} content Builds what is inside.
 * @param {{wide?: boolean, note?: string}} [options]
 * @returns {Promise<any>} What it was closed with; undefined when it was dismissed.
 */
export function openDialog(title, content, { wide = false, note } = {}) {
  return new Promise((resolve) => {
    let result;
    const dialog = h("dialog.sheet", { class: wide ? "wide" : "", "aria-label": title });
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dismiss = h("button.icon-button", { type: "button", "aria-label": "Close" }, icon("close"));
    dismiss.addEventListener("click", () => close());
    const head = h("header", null, h("div", null, h("h2", null, title), note && h("p.muted.small", null, note)), dismiss);
    dialog.append(h("div", null, head, content(close)));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) close();
    });
    document.body.append(dialog);
    dialog.showModal();
    const fields = "[data-first], input:not([hidden]), select";
    dialog.querySelector(fields)?.focus();
  });
}

/**
 * Ask before something that cannot be taken back.
 *
 * @param {{title: string, text: string, action: string, type?: string}} question With `type` the person must type
 *     these words first.
 * @returns {Promise<boolean>}
 */
export async function confirmDanger({ title, text, action, type }) {
  const answer = await openDialog(title, (close) => {
    const act = h("button.button.danger", { type: "submit", disabled: Boolean(type) }, action);
    const cancel = h("button.button", { type: "button", "data-first": !type, on: { click: () => close(false) } }, "Cancel");
    const typed = type && h("input.input", { "data-first": true, autocomplete: "off", spellcheck: "false" });
    typed?.addEventListener("input", () => (act.disabled = typed.value.trim() !== type.trim()));
    const form = h(
      "form.stack",
      null,
      h("p", null, text),
      typed && h("label.field", null, h("span", null, "Type ", h("strong", null, type), " to continue"), typed),
      h("footer", null, cancel, act),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close(true);
    });
    return form;
  });
  return answer === true;
}

/** Ask for one line of text; gives undefined when dismissed. */
export function askText(title, { label, value = "", action = "Save", note } = {}) {
  return openDialog(
    title,
    (close) => {
      const input = h("input.input", { value, "data-first": true, autocomplete: "off", maxlength: 200 });
      const form = h(
        "form.stack",
        null,
        h("label.field", null, h("span", null, label), input),
        h("footer", null, h("button.button.primary", { type: "submit" }, action)),
      );
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (input.value.trim()) close(input.value.trim());
      });
      queueMicrotask(() => input.select());
      return form;
    },
    { note },
  );
}
