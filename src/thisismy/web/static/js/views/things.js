/** My things: every named instance. */

import { post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { count, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, go } from "../core/router.js";
import { store, watch } from "../core/store.js";
import { face } from "../parts/face.js";
import { startJob } from "../parts/jobs.js";
import { toast, trying } from "../parts/toast.js";

const LEARNED = { current: ["yes", "learned"], stale: ["mark", "has changed"], never: ["", "not learned yet"] };

/** The tag that says whether an instance is learned. */
export function learnedTag(state) {
  const [kind, words] = LEARNED[state] ?? LEARNED.never;
  return h("span.tag", { class: kind }, words);
}

export function show(root) {
  const list = h("div");
  const file = h("input", { type: "file", accept: "application/json,.json", hidden: true, "aria-label": "File to import" });
  const importing = async () => {
    const form = new FormData();
    form.append("file", file.files[0]);
    const answer = await trying(() => post("/instances/import", form));
    if (answer) toast(`Imported ${answer.names.join(", ")}`);
    file.value = "";
  };
  file.addEventListener("change", importing);
  const learn = h("button.button.primary", { type: "button" }, icon("learn"), "Learn all");
  learn.addEventListener("click", () => startJob({ kind: "learn", instances: null }));
  const actions = h(
    "div.row.wrap",
    null,
    h("button.button.plain.compact", { type: "button", on: { click: () => file.click() } }, "Import"),
    h("a.button.plain.compact", { href: "/api/instances/export", download: "my-things.json" }, "Export"),
    file,
    learn,
  );
  const title = h("div", null, h("h1", null, "My things"), h("p.muted", null, "What you have given a name. Write the name in a search, and that very thing is meant."));
  fill(root, h("header.view-head", null, title, actions), list);
  const draw = () => {
    const any = store.instances.length > 0;
    for (const one of actions.querySelectorAll("a, .primary")) one.hidden = !any;
    fill(list, any ? cards() : empty());
  };
  draw();
  const stop = watch((what) => what.has("instances") && draw());
  const unbind = bind("My things", [
    { keys: "j", does: "To the first", run: () => root.querySelector(".thing-card")?.focus() },
    { keys: "l", does: "Learn all", run: () => learn.click() },
  ]);
  root.addEventListener("keydown", arrows);
  return {
    title: "My things",
    update: (to) => to.page === "things",
    close() {
      stop();
      unbind();
      root.removeEventListener("keydown", arrows);
    },
  };
}

function arrows(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.classList.contains("thing-card")) return;
  const all = [...document.querySelectorAll(".thing-card")];
  all[all.indexOf(event.target) + step]?.focus();
  event.preventDefault();
}

function cards() {
  return h("ul.things", null, store.instances.map((instance) => h("li", null, card(instance))));
}

function card(instance) {
  const picture = face(instance);
  const waiting = instance.proposed ? `, ${count(instance.proposed)} proposed` : "";
  return h(
    "a.thing-card",
    { href: address("thing", [instance.id]) },
    picture,
    h("span.thing-words", null, h("strong", null, instance.name), h("span.muted.small.clip", null, [instance.category, ...instance.aliases].filter(Boolean).join(" · ")), h("span.faint.small", null, `${plural(instance.confirmed, "example")}${waiting}`)),
    learnedTag(instance.learned),
  );
}

function empty() {
  return h(
    "div.empty",
    null,
    h("h2", null, "Nothing has a name yet"),
    h("p.muted", null, "Find a moment that shows your dog, your mug or your bicycle, and press “This is …”. Or let thisismy look for places where you say “this is my …” aloud."),
    h("div.row.wrap", null, h("button.button.primary", { type: "button", on: { click: () => go("#/search") } }, "Find a moment"), h("a.button", { href: address("mined") }, "Look for what I say")),
  );
}
