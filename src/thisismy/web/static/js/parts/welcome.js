/** What a person sees before there is anything to see. */

import { get } from "../core/api.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { store } from "../core/store.js";
import { startJob } from "./jobs.js";
import { toast } from "./toast.js";

/** The box to add a folder with; it starts to index at once. */
export function addFolder() {
  const input = h("input.input", { placeholder: "/home/me/Videos", "aria-label": "Folder or file to add", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
  const form = h("form.add-folder", null, input, h("button.button.primary", { type: "submit" }, icon("plus"), "Add"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const path = input.value.trim();
    if (!path) {
      input.focus();
      return;
    }
    const job = await startJob({ kind: "index", paths: [path] });
    input.setAttribute("aria-invalid", String(!job));
    if (job) {
      input.value = "";
      toast("Started. You can already search what is there while it runs.");
    }
  });
  return form;
}

/** The first run: what this is, and how to begin. */
export function firstSteps() {
  const step = (number, title, text, extra) => h("li", null, h("span.step.number", { "aria-hidden": "true" }, number), h("div", null, h("h3", null, title), h("p.muted", null, text), extra));
  const allowed = store.status?.folders_allowed ?? true;
  const how = allowed ? addFolder() : h("p", null, "On the machine it runs on: ", h("code", null, "thisismy add FOLDER"));
  return h(
    "section.first",
    null,
    h("h2", null, "Three steps, and all of it stays on this machine"),
    h(
      "ol",
      null,
      step(1, "Add a folder of videos or photos", "They are looked at where they are. Nothing is copied, moved or sent anywhere.", how),
      step(2, "Say what is yours", "Pause a video on your dog, press “This is …” and type a name. Or let thisismy find where you say “this is my …” aloud."),
      step(3, "Ask for it by name", "“my dog Biscuit on a beach” then finds that dog, with from when to when."),
    ),
  );
}

/** Suggestions for a category. */
export async function suggestCategories(text, signal) {
  const answer = await get("/categories", { q: text }, signal);
  return answer.items.slice(0, 8).map((name) => ({ name }));
}
