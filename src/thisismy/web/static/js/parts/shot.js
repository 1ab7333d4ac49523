/** The card of a shot: its best frame, when, where from, how sure; and what one can do with it. */

import { h } from "../core/dom.js";
import { day, percent, when } from "../core/format.js";
import { icon } from "../core/icons.js";
import { address } from "../core/router.js";
import { openMenu } from "./menu.js";
import { playOnHover } from "./preview.js";

/** The picture of a shot in a box of 16 by 9. */
export function frame(shot, extra = []) {
  const image = h("img", { src: shot.picture, alt: "", loading: "lazy", decoding: "async", draggable: "false" });
  const box = h("span.frame", null, image, extra);
  image.addEventListener("error", () => box.classList.add("broken"));
  if (image.complete) box.classList.add("here");
  else image.addEventListener("load", () => box.classList.add("here"));
  return box;
}

/** Where a shot plays: the watching page at its second. */
export function watchAddress(shot, query = {}) {
  const t = shot.kind === "photo" ? null : Number(shot.start).toFixed(2);
  return address("watch", [shot.media_id], { t, ...query });
}

/**
 * Make the card of a shot.
 *
 * @param {Object} shot
 * @param {Object} how
 * @param {Object} [how.query] What the watching page should mark: parameters of a search.
 * @param {boolean} [how.selected]
 * @param {(yes: boolean, event: Event) => void} [how.onselect] Without it the card cannot be selected.
 * @param {() => void} [how.onlike, how.onunlike, how.onname, how.onwhy]
 */
export function shotCard(shot, how = {}) {
  const title = shot.kind === "photo" ? `${shot.name}, photo` : `${shot.name}, ${when(shot)}`;
  const time = h("span.when.number", null, when(shot));
  const face = frame(shot, time);
  const main = h("a.main", { href: watchAddress(shot, how.query), "aria-label": `Play ${title}` }, face);
  const card = h("article.shot", { class: how.selected ? "selected" : "" }, main, caption(shot, how), tools(shot, how, title));
  playOnHover(card, face, shot);
  return card;
}

function caption(shot, how) {
  const sure = shot.relevance !== undefined && how.onwhy;
  const fits = shot.fits === null || shot.fits === undefined ? "" : ` · fits ${percent(shot.fits, 0)}`;
  const shown = percent(shot.relevance ?? 0, 0) + fits;
  return h(
    "div.caption",
    null,
    h("div.about", null, h("span.name.clip", { title: shot.path }, shot.name), h("span.faint.small.clip", null, details(shot))),
    sure &&
      h(
        "button.score.number",
        {
          type: "button",
          title: "Why this score?",
          "aria-label": `Why ${shown}?`,
          on: { click: how.onwhy },
        },
        shown,
        h("span.why", null, "why?"),
      ),
  );
}

function details(shot) {
  const parts = [day(shot.created)];
  if (shot.similar?.length) parts.push(`${shot.similar.length} alike`);
  return parts.filter(Boolean).join(" · ") || folderOf(shot.path);
}

/** The folder a file is in, without the ones around it. */
const folderOf = (path) => path.split(/[\\/]/).at(-2) ?? "";

function tools(shot, how, title) {
  const card = () => menu.closest(".shot");
  const entries = [
    how.onlike && { label: "More like this", icon: "like", run: how.onlike },
    how.onunlike && { label: "Not this", icon: "unlike", run: how.onunlike },
    how.onname && { label: "This is …", icon: "name", run: how.onname },
    how.onwhy && { label: "Why?", icon: "why", run: how.onwhy },
    how.onselect && { label: "Select", icon: "check", run: () => card().querySelector("input").click() },
  ].filter(Boolean);
  const menu =
    entries.length > 0 &&
    h("button.over.menu-button", { type: "button", "aria-label": `More about ${title}`, "aria-haspopup": "menu" }, icon("more"));
  if (menu) menu.addEventListener("click", () => openMenu(menu, entries));
  const select =
    how.onselect &&
    h("label.over.pick-shot", { title: "Select" }, h("input", { type: "checkbox", ".checked": how.selected, "aria-label": `Select ${title}` }));
  select?.firstChild.addEventListener("click", (event) => {
    select.closest(".shot").classList.toggle("selected", event.target.checked);
    how.onselect(event.target.checked, event);
  });
  return h(
    "div.tools",
    null,
    select,
    how.onunlike && overButton("unlike", "Not this", title, how.onunlike),
    how.onlike && overButton("like", "More like this", title, how.onlike),
    how.onname && overButton("name", "This is …", title, how.onname),
    menu,
  );
}

function overButton(name, label, title, run) {
  return h("button.over.quick", { type: "button", title: label, "aria-label": `${label}: ${title}`, on: { click: run } }, icon(name));
}
