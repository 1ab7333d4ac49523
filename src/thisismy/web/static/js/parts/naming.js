/** "This is my …": the form that gives what is seen a name. */

import { post } from "../core/api.js";
import { h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { address, go } from "../core/router.js";
import { store } from "../core/store.js";
import { combobox } from "./combobox.js";
import { openDialog } from "./dialog.js";
import { face } from "./face.js";
import { completions } from "./searchbox.js";
import { frame } from "./shot.js";
import { toast, trying } from "./toast.js";
import { suggestCategories } from "./welcome.js";

/**
 * The form.
 *
 * @param {Object} how
 * @param {() => {places: Object[], box?: number[]|null}} how.where What is named, asked when it is sent.
 * @param {(answer: Object) => void} how.ondone
 * @param {Node|Node[]} [how.extra] More fields.
 * @param {string} [how.name] To begin with.
 */
export function nameForm({ where, ondone, extra, name = "" }) {
  const input = h("input.input", { name: "name", value: name, placeholder: "my dog Biscuit", "data-first": true, spellcheck: "false", maxlength: 200, required: true });
  const category = h("input.input", { name: "category", placeholder: "guessed from the picture", spellcheck: "false", maxlength: 80 });
  const nameField = h("label.field.anchor", null, h("span", null, "This is …"), input);
  const categoryField = h("label.field.anchor", null, h("span", null, "What kind of thing? (optional)"), category);
  const negative = h("button.button.no", { type: "button" }, "This is not …");
  const submit = h("button.button.primary", { type: "submit" }, "Save");
  const form = h("form.stack.name-form", null, nameField, categoryField, extra, h("footer", null, negative, submit));
  const settle = () => {
    const known = store.instances.find((one) => [one.name, ...one.aliases].some((n) => same(n, input.value)));
    category.disabled = Boolean(known);
    category.placeholder = known ? known.category : "guessed from the picture";
    negative.hidden = !known;
  };
  combobox(input, {
    label: "Your things",
    suggest: async (text) => completions(text, text.length).items,
    show: (instance) => [face(instance), h("span", null, h("strong", null, instance.name), " ", h("small", null, instance.category))],
    choose: (instance) => {
      input.value = instance.name;
      settle();
    },
  });
  combobox(category, {
    label: "Kinds of things",
    suggest: suggestCategories,
    quiet: 90,
    show: (item) => [h("span", null, item.name)],
    choose: (item) => (category.value = item.name),
  });
  input.addEventListener("input", settle);
  settle();
  const send = async (not) => {
    if (!input.value.trim()) {
      input.focus();
      return;
    }
    submit.disabled = true;
    const body = { name: input.value.trim(), category: category.disabled ? "" : category.value.trim(), negative: not, ...where() };
    const answer = await trying(() => post("/name", body));
    submit.disabled = false;
    if (!answer) return;
    const { instance, created } = answer;
    const words = not ? `Noted: not ${instance.name}` : created ? `${instance.name} is now one of your things` : `One more of ${instance.name}`;
    toast(words, { undo: () => go(address("thing", [instance.id])), label: "Show" });
    ondone(answer);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
  });
  negative.addEventListener("click", () => send(true));
  return form;
}

const same = (a, b) => a.trim().toLocaleLowerCase() === b.trim().toLocaleLowerCase();

/**
 * Name shots in a dialog.
 *
 * @param {Object[]} shots
 * @returns {Promise<Object|undefined>} What the server answered.
 */
export function nameDialog(shots) {
  const title = shots.length === 1 ? "This is …" : `These ${plural(shots.length, "shot")} show …`;
  return openDialog(title, (close) => [
    h("div.name-frames", null, shots.slice(0, 6).map((shot) => frame(shot))),
    nameForm({ where: () => ({ places: shots.map((shot) => ({ shot_id: shot.shot_id })) }), ondone: close }),
  ]);
}

