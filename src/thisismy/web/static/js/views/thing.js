/** One instance: label candidates, look after examples, learn it, see where it appears, rename, merge, delete. */

import { get, patch, post, remove } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, go } from "../core/router.js";
import { instanceById, store, watch } from "../core/store.js";
import { askText, confirmDanger, openDialog } from "../parts/dialog.js";
import { face } from "../parts/face.js";
import { LearnPanel } from "../parts/learn.js";
import { openMenu } from "../parts/menu.js";
import { toast, trying } from "../parts/toast.js";
import { ExamplesTab } from "./examples.js";
import { GalleryTab } from "./gallery.js";
import { OccurrencesTab } from "./occurrences.js";
import { learnedTag } from "./things.js";

const TABS = [
  ["gallery", "Gallery", GalleryTab],
  ["examples", "Examples", ExamplesTab],
  ["time", "Where in time", OccurrencesTab],
];

export function show(root, to) {
  return new ThingView(root, to);
}

class ThingView {
  constructor(root, to) {
    this.root = root;
    this.id = Number(to.parts[0]);
    this.stop = [watch((what) => this.#changed(what))];
    this.#open(to);
  }

  get title() {
    return this.instance?.name ?? "My things";
  }

  update(to) {
    if (to.page !== "thing" || Number(to.parts[0]) !== this.id || !this.instance) return false;
    this.#showTab(to.parts[1] ?? "gallery");
    return true;
  }

  close() {
    this.closed = true;
    this.tab?.close();
    this.learn?.close();
    this.root.removeEventListener("dragover", this.dragging);
    this.root.removeEventListener("drop", this.dropping);
    for (const stop of this.stop) stop();
  }

  #bindKeys() {
    const tab = (name) => () => go(address("thing", [this.id, name]));
    return bind("This thing", [
      { keys: "l", does: "Learn now", run: () => this.learn?.start() },
      { keys: "m", does: "Choose how it is learned", run: () => this.learn?.choose() },
      { keys: "1", does: "Gallery", run: tab("gallery") },
      { keys: "2", does: "Examples", run: tab("examples") },
      { keys: "3", does: "Where in time", run: tab("time") },
      { keys: "r", does: "Rename", run: () => this.#rename() },
    ]);
  }

  async #open(to) {
    const found = await trying(() => get(`/instances/${this.id}`));
    if (this.closed) return;
    if (!found) {
      fill(this.root, h("div.empty", null, h("h2", null, "This is not one of your things any more"), h("a.button", { href: address("things") }, "My things")));
      return;
    }
    this.instance = found;
    dispatchEvent(new CustomEvent("title", { detail: found.name }));
    this.head = h("header.thing-head");
    this.learn = new LearnPanel(found);
    this.tabs = h("nav.segments", { "aria-label": "About it" });
    this.body = h("section.tab-body");
    const drop = h("div.drop-hint", { "aria-hidden": "true" }, icon("photo"), "Drop photos that show it");
    fill(this.root, this.head, this.learn.element, h("div.scroll-x", null, this.tabs), this.body, drop);
    this.#drawHead();
    this.#takePhotos();
    this.stop.push(this.#bindKeys());
    this.#showTab(to.parts[1] ?? "gallery");
  }

  #drawHead() {
    const one = this.instance;
    const more = h("button.icon-button", { type: "button", "aria-label": `More about ${one.name}`, "aria-haspopup": "menu" }, icon("more"));
    more.addEventListener("click", () => openMenu(more, this.#menu()));
    const photos = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, "aria-label": "Photos that show it" });
    photos.addEventListener("change", () => this.#addPhotos(photos.files));
    const also = [one.category, ...one.aliases.map((alias) => `“${alias}”`)].filter(Boolean).join(" · ");
    fill(
      this.head,
      face(one),
      h("div.thing-title", null, h("h1", null, one.name), h("p.row.wrap", null, h("span.muted", null, also), learnedTag(one.learned))),
      h(
        "div.row.wrap.push",
        null,
        h("a.button", { href: address("search", [], { q: one.name }) }, icon("search"), "Find it"),
        h("button.button", { type: "button", on: { click: () => photos.click() } }, icon("photo"), "Add photos"),
        photos,
        more,
      ),
    );
  }

  #menu() {
    return [
      { label: "Rename", icon: "edit", run: () => this.#rename() },
      { label: "Change its kind", icon: "name", run: () => this.#recategorise() },
      { label: "Other names", icon: "plus", run: () => this.#aliases() },
      { label: "Merge with another", icon: "merge", run: () => this.#merge() },
      { label: "Delete", icon: "trash", danger: true, run: () => this.#delete() },
    ];
  }

  #showTab(name) {
    const [wanted, , Tab] = TABS.find(([one]) => one === name) ?? TABS[0];
    if (this.tabName === wanted) return;
    this.tab?.close();
    this.tabName = wanted;
    const counts = { examples: this.instance.confirmed + this.instance.proposed + this.instance.rejected };
    fill(
      this.tabs,
      TABS.map(([one, label]) => {
        const here = one === wanted ? "page" : null;
        return h("a", { href: address("thing", [this.id, one]), "aria-current": here }, label, counts[one] !== undefined && h("span.count", null, counts[one]));
      }),
    );
    this.body.replaceChildren();
    this.body.setAttribute("aria-label", TABS.find(([one]) => one === wanted)[1]);
    this.tab = new Tab(this.body, this);
  }

  /** Tabs call this with what the server answered. */
  take(instance) {
    this.instance = { ...this.instance, ...instance };
    const at = store.instances.findIndex((one) => one.id === instance.id);
    if (at >= 0) store.instances[at] = instance;
    this.#drawHead();
    this.learn.take(this.instance);
    const tally = this.tabs.querySelectorAll(".count")[0];
    if (tally) tally.textContent = instance.confirmed + instance.proposed + instance.rejected;
  }

  #changed(what) {
    if (!this.instance) return;
    const fresh = what.has("instances") && instanceById(this.id);
    if (fresh) this.take(fresh);
    this.tab?.changed?.(what);
  }

  async #edit(changes, words) {
    const after = await trying(() => patch(`/instances/${this.id}`, changes));
    if (!after) return;
    this.take(after);
    toast(words);
    dispatchEvent(new CustomEvent("title", { detail: after.name }));
  }

  async #rename() {
    const name = await askText("Rename", { label: "New name", value: this.instance.name });
    if (name && name !== this.instance.name) await this.#edit({ name }, `Now called ${name}`);
  }

  async #recategorise() {
    const category = await askText("What kind of thing is it?", { label: "A common noun, such as dog, mug, bicycle", value: this.instance.category });
    if (category) await this.#edit({ category }, `Noted: a ${category}`);
  }

  async #aliases() {
    const value = this.instance.aliases.join(", ");
    const text = await openDialog(
      "Other names",
      (close) => {
        const input = h("input.input", { value, "data-first": true, maxlength: 400, placeholder: "Biscuit, the dog" });
        const form = h("form.stack", null, h("label.field", null, h("span", null, "Separated by commas"), input), h("footer", null, h("button.button.primary", { type: "submit" }, "Save")));
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          close(input.value);
        });
        return form;
      },
      { note: "Any of them can stand in a search." },
    );
    if (text === undefined) return;
    const aliases = text.split(",").map((one) => one.trim()).filter(Boolean);
    await this.#edit({ aliases }, "Saved");
  }

  async #merge() {
    const others = store.instances.filter((one) => one.id !== this.id);
    if (!others.length) {
      toast("There is no other thing to merge with");
      return;
    }
    const other = await openDialog(
      "Which is the same thing?",
      (close) => h("ul.pick-list", null, others.map((one) => h("li", null, h("button.pick", { type: "button", on: { click: () => close(one) } }, face(one), h("span", null, h("strong", null, one.name), " ", h("small.muted", null, plural(one.confirmed, "example"))))))),
      { note: `Its examples come to ${this.instance.name}, and its name stays as another name.` },
    );
    if (!other) return;
    const sure = await confirmDanger({ title: "Merge?", text: `${other.name} will be gone as a thing of its own. This cannot be taken back.`, action: "Merge" });
    if (!sure) return;
    const after = await trying(() => post(`/instances/${this.id}/merge`, { other: other.id }));
    if (!after) return;
    this.take(after);
    toast(`Merged ${other.name} into ${after.name}`);
  }

  async #delete() {
    const { name, confirmed } = this.instance;
    const text = `Its ${plural(confirmed, "example")}, kept photos and what was learned of it are deleted for good. Your videos are not touched.`;
    if (!(await confirmDanger({ title: `Delete ${name}?`, text, action: "Delete for good", type: name }))) return;
    const answer = await trying(() => remove(`/instances/${this.id}`));
    if (!answer) return;
    toast(`Deleted ${answer.deleted}`);
    go(address("things"));
  }

  #takePhotos() {
    const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    let timer = 0;
    this.dragging = (event) => {
      if (!files(event)) return;
      event.preventDefault();
      this.root.classList.add("dropping");
      clearTimeout(timer);
      timer = setTimeout(() => this.root.classList.remove("dropping"), 300);
    };
    this.dropping = (event) => {
      if (!files(event)) return;
      event.preventDefault();
      this.takeFiles(event.dataTransfer.files);
    };
    this.root.addEventListener("dragover", this.dragging);
    this.root.addEventListener("drop", this.dropping);
  }

  /** Files were dropped, here or beside the view. */
  takeFiles(files) {
    if (this.instance) this.#addPhotos(files);
  }

  async #addPhotos(files) {
    const form = new FormData();
    for (const file of files) form.append("photos", file);
    const answer = await trying(() => post(`/instances/${this.id}/photos`, form));
    if (!answer) return;
    this.take(answer.instance);
    if (answer.examples.length) toast(`${plural(answer.examples.length, "photo")} added`);
    for (const failure of answer.failed) toast(`${failure.name}: ${failure.error}`, { bad: true });
    this.tab?.changed?.(new Set(["examples"]));
  }
}
