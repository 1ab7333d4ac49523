/** Search: type, see moments, do something with them. With nothing typed it shows everything there is. */

import { download, get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { count, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address, go } from "../core/router.js";
import { store, watch } from "../core/store.js";
import { openDialog } from "../parts/dialog.js";
import { face } from "../parts/face.js";
import { filterButton, filtersOf } from "../parts/filters.js";
import { Grid } from "../parts/grid.js";
import { nameDialog } from "../parts/naming.js";
import { sayNames, searchBox } from "../parts/searchbox.js";
import { selectionBar } from "../parts/selection.js";
import { frame, shotCard, watchAddress } from "../parts/shot.js";
import { ListSource, PagedSource } from "../parts/sources.js";
import { complain, toast, trying } from "../parts/toast.js";
import { firstSteps } from "../parts/welcome.js";

const STEPS = [60, 200, 500];

/** The last answer and where one was in it, for coming back from a video. */
const last = { hash: null, answer: null, scroll: 0, photo: null };

export function show(root, to) {
  return new SearchView(root, to);
}

class SearchView {
  constructor(root, to) {
    this.root = root;
    this.selected = new Map();
    this.lastPicked = null;
    this.photo = null;
    this.k = STEPS[0];
    this.box = searchBox({ onsearch: (q) => this.#ask(q), onphoto: (file) => this.#askPhoto(file) });
    this.head = h("section.search-head", null, h("h1.hero", null, "Find what is yours."), this.box.element, (this.under = h("div.under-box")));
    this.state = h("div", { "aria-live": "polite" });
    this.results = h("div.results");
    this.bar = selectionBar({
      onexport: (what) => this.#export(what),
      onclear: () => this.#clearSelection(),
      onname: () => this.#nameSelected(),
    });
    root.append(h("div.search", null, this.head, this.state, this.results), this.bar.element);
    this.stop = [
      watch((what) => this.#changed(what)),
      bind("Search", [
        { keys: "Enter", does: "Play the shot", run: () => false },
        { keys: "x", does: "Select the shot", run: () => this.#onCard((item, index) => this.#select(item, index, !this.selected.has(item.shot_id))) },
        { keys: "m", does: "More like this", run: () => this.#onCard((item) => this.#like(item)) },
        { keys: "n", does: "Not this", run: () => this.#onCard((item) => this.#unlike(item)) },
        { keys: "i", does: "This is …", run: () => this.#onCard((item) => this.#name([item])) },
        { keys: "w", does: "Why this score?", run: () => this.#onCard((item) => item.why && this.#why(item)) },
        { keys: "j", does: "To the shots", run: () => this.grid?.focus(0) },
        { keys: "f", does: "Filters", run: () => this.root.querySelector(".filter-button")?.click() },
      ]),
    ];
    this.update(to);
  }

  get title() {
    return this.route?.q || (this.route?.like.length ? "More like this" : "Search");
  }

  /** Show another search; always possible. */
  update(to) {
    const { query } = to;
    const said = query.get("in") === "said";
    this.route = {
      q: query.get("q") ?? "",
      like: query.getAll("like"),
      unlike: query.getAll("unlike"),
      sort: query.get("sort") ?? "",
      said,
      ...filtersOf(query),
    };
    if (!query.has("photo")) this.photo = null;
    this.k = STEPS[0];
    this.box.set(this.route.q);
    this.#clearSelection();
    if (to.page === "search") this.#run();
    return to.page === "search";
  }

  close() {
    last.scroll = scrollY;
    this.asking?.abort();
    this.grid?.close();
    this.missGrid?.close();
    this.box.close();
    this.bar.close();
    for (const stop of this.stop) stop();
  }

  get #query() {
    const { said, ...rest } = this.route;
    return { ...rest, in: said ? "said" : "" };
  }

  #go(changes) {
    go(address("search", [], { ...this.#query, ...changes }));
  }

  #ask(q) {
    this.photo = null;
    const to = address("search", [], { ...this.#query, q, like: [], unlike: [] });
    if (to === location.hash) this.#run();
    else go(to);
  }

  /** A photo was dropped. */
  takeFiles([file]) {
    if (file) this.#askPhoto(file);
  }

  #askPhoto(file) {
    this.photo = file;
    last.photo = file;
    const to = address("search", [], { ...filtersOf(new URLSearchParams()), photo: file.name });
    if (to === location.hash) this.#run();
    else go(to);
  }

  async #run() {
    const { q, like, said } = this.route;
    const searching = Boolean(q || like.length || this.photo);
    this.head.classList.toggle("compact", searching);
    this.#drawUnder();
    this.grid?.close();
    this.missGrid?.close();
    this.grid = this.missGrid = null;
    this.asking?.abort();
    if (store.status && !store.status.shots && !searching) {
      this.total = 0;
      fill(this.state);
      fill(this.results, firstSteps());
      return;
    }
    if (!searching) await this.#browse();
    else if (said) await this.#said();
    else await this.#search();
  }

  #drawUnder() {
    const { q, like, unlike } = this.route;
    const chips = [];
    for (const id of like) chips.push(this.#shotChip("Like", id, { like: like.filter((one) => one !== id) }));
    if (unlike.length) {
      const text = plural(unlike.length, "shot left out", "shots left out");
      chips.push(h("button.chip.bare", { type: "button", "aria-label": `${text}. Bring back`, on: { click: () => this.#go({ unlike: [] }) } }, text, icon("close")));
    }
    if (this.photo) {
      const url = URL.createObjectURL(this.photo);
      const image = h("img", { src: url, alt: "" });
      image.addEventListener("load", () => URL.revokeObjectURL(url));
      chips.push(h("button.chip", { type: "button", "aria-label": "Search without the photo", on: { click: () => go("#/search") } }, h("span.face", null, image), "Like this photo", icon("close")));
    }
    if (!q && !chips.length) {
      const known = [...store.instances].sort((a, b) => b.confirmed - a.confirmed).slice(0, 8);
      for (const instance of known) {
        chips.push(h("a.chip", { href: address("search", [], { q: instance.name }) }, face(instance), h("span.clip", null, instance.name)));
      }
    }
    fill(this.under, chips);
  }

  #shotChip(word, id, without) {
    const known = last.answer?.hits?.find((hit) => String(hit.shot_id) === id) ?? likes.get(id);
    const picture = known && h("span.face", null, h("img", { src: known.picture, alt: "" }));
    return h("button.chip", { type: "button", class: picture ? "" : "bare", "aria-label": `${word} a shot. Remove`, on: { click: () => this.#go(without) } }, picture, `${word} this`, icon("close"));
  }

  async #browse() {
    const sort = this.route.sort === "date" ? "date" : "path";
    const source = new PagedSource((offset, limit, signal) => get("/shots", { offset, limit, sort }, signal));
    source.onerror = complain;
    const asking = (this.asking = new AbortController());
    await source.open();
    // Something else may have been asked for in the meantime.
    if (asking.signal.aborted) return;
    this.total = source.total;
    this.fresh = h("button.button.compact", { type: "button", hidden: true, on: { click: () => this.#run() } }, icon("again"), "Show what is new");
    const toolbar = h(
      "div.toolbar",
      null,
      h("h2", null, "Everything", " ", h("span.count", null, plural(source.total, "shot"))),
      this.fresh,
      h("span.push"),
      this.#sortSelect([["", "By file"], ["date", "Newest first"]]),
    );
    fill(this.state);
    this.grid = new Grid({ label: "All shots", card: (item, index) => this.#card(item, index) });
    fill(this.results, toolbar, this.grid.element);
    this.grid.show(source);
    this.#restore();
  }

  async #search() {
    const hash = location.hash;
    const back = last.hash === hash && last.answer && this.k === STEPS[0];
    if (back) {
      this.#draw(last.answer);
      this.#restore();
      return;
    }
    this.asking = new AbortController();
    const slow = setTimeout(() => fill(this.state, h("p.muted.searching", null, this.#unlearned() ? "Learning the name first, a few seconds …" : "Looking …")), 250);
    try {
      const answer = await this.#fetch();
      Object.assign(last, { hash, answer, scroll: 0 });
      if (this.k === STEPS[0]) last.generation = store.status?.generation;
      this.#draw(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(this.state);
      fill(this.results, h("div.empty", null, h("h2", null, "That did not work"), h("p.muted", null, error.message), h("a.button", { href: address("library") }, "To the Library")));
    } finally {
      clearTimeout(slow);
    }
  }

  #unlearned() {
    const low = this.route.q.toLocaleLowerCase();
    return store.instances.some((one) => one.learned !== "current" && low.includes(one.name.toLocaleLowerCase()));
  }

  #parameters(extra = {}) {
    const { said: _, ...query } = this.route;
    return { ...query, k: this.k, ...extra };
  }

  #fetch(extra) {
    const parameters = this.#parameters(extra);
    if (!this.photo) return get("/search", { ...parameters, q: sayNames(parameters.q) }, this.asking.signal);
    const form = new FormData();
    form.append("photo", this.photo);
    return post("/search/photo", form, this.asking.signal, parameters);
  }

  #draw(answer) {
    this.names = answer.names ?? [];
    this.items = answer.hits;
    const remarks = answer.remarks?.map((remark) => h("p.remark", null, icon("alert"), h("span", null, remark)));
    fill(this.state, remarks);
    this.#clearSelection();
    if (!answer.hits.length) {
      this.#drawNothing(answer);
      return;
    }
    const more = this.names.length > 0 && this.names[0].name.toLocaleLowerCase() !== this.route.q.trim().toLocaleLowerCase();
    const read = more && h("span.muted.small.clip", { title: answer.read }, `read as ${answer.read}`);
    const toolbar = this.#toolbar(h("h2", null, plural(answer.hits.length, "moment")), read);
    this.grid = new Grid({ label: "Moments found", card: (item, index) => this.#card(item, index), more: 24 });
    const cut = answer.hits.length >= this.k && this.k < STEPS.at(-1);
    const foot = h("div.foot");
    fill(this.results, toolbar, this.grid.element, foot);
    this.grid.show(new ListSource(answer.hits));
    if (cut) {
      const button = h("button.button", { type: "button", on: { click: () => this.#more() } }, "Show more");
      fill(foot, button);
    } else {
      const button = h("button.button.plain", { type: "button", on: { click: () => this.#misses(foot) } }, icon("down"), "Show the nearest misses");
      fill(foot, button);
    }
  }

  #toolbar(title, extra) {
    const modes = h("div.segments", { role: "group", "aria-label": "Where to look" });
    for (const [value, label] of [["", "Seen"], ["said", "Said"]]) {
      const on = (this.route.said ? "said" : "") === value;
      modes.append(h("button", { type: "button", "aria-pressed": String(on), on: { click: () => this.#go({ in: value }) } }, label));
    }
    const canSaid = this.route.q && !this.photo;
    return h(
      "div.toolbar",
      null,
      title,
      extra,
      h("span.push"),
      canSaid && modes,
      !this.route.said && this.#sortSelect([["", "Best first"], ["date", "Newest first"]]),
      !this.route.said && filterButton(this.route, (changes) => this.#go(changes)),
    );
  }

  #sortSelect(options) {
    const select = h("select.select.compact", { "aria-label": "Order" }, options.map(([value, label]) => h("option", { value, selected: value === this.route.sort }, label)));
    select.addEventListener("change", () => this.#go({ sort: select.value }));
    return select;
  }

  #drawNothing(answer) {
    const empty = h(
      "div.empty.nothing",
      null,
      h("h2", null, "Nothing good enough"),
      h("p.muted", null, `None of ${plural(answer.searched, "shot")} shows that with any certainty. Other words may help, or fewer.`),
    );
    fill(this.results, this.#toolbar(h("h2", null, "No moments")), empty);
    if (answer.nearest?.length) this.#drawMisses(this.results, answer.nearest);
  }

  async #misses(foot) {
    const answer = await trying(() => this.#fetch({ misses: 24 }));
    if (!answer || !foot.isConnected) return;
    const misses = answer.nearest;
    fill(foot);
    if (misses.length) this.#drawMisses(this.results, misses);
    else fill(foot, h("p.muted", null, "There is nothing else."));
  }

  #drawMisses(parent, misses) {
    this.missGrid?.close();
    this.missGrid = new Grid({ label: "Nearest misses", card: (item, index) => this.#card(item, index), minWidth: 200, more: 24 });
    const line = h("div.line", null, h("h3", null, "Nearest misses"), h("span.muted.small", null, "below the line: more likely chance than not"));
    parent.append(line, h("div.misses", null, this.missGrid.element));
    this.missGrid.show(new ListSource(misses));
  }

  async #more() {
    this.k = STEPS[STEPS.indexOf(this.k) + 1];
    const top = scrollY;
    this.grid?.close();
    await this.#search();
    scrollTo(0, top);
  }

  async #said() {
    this.asking = new AbortController();
    const answer = await trying(() => get("/said", { q: this.route.q, k: 200 }, this.asking.signal));
    if (!answer) return;
    fill(this.state);
    const rows = answer.items.map((item) => {
      const to = watchAddress({ ...item, kind: "video" });
      return h("li", null, h("a.said", { href: to }, frame(item), h("span", null, h("q", null, item.text), h("small.faint.number", null, `${item.name} · ${clockOf(item)}`))));
    });
    const found = rows.length ? h("ul.said-list", null, rows) : h("div.empty", null, h("h2", null, "Nobody says that"), h("p.muted", null, "…in what has been transcribed so far. Transcripts are made on the Library page."));
    fill(this.results, this.#toolbar(h("h2", null, plural(rows.length, "time"))), found);
  }

  #restore() {
    if (last.hash !== location.hash) {
      last.hash = location.hash;
      last.scroll = 0;
      return;
    }
    requestAnimationFrame(() => scrollTo(0, last.scroll));
  }

  #card(item, index) {
    const q = this.route.q;
    return shotCard(item, {
      query: { q: this.route.said ? "" : q, like: this.route.like },
      selected: this.selected.has(item.shot_id),
      onselect: (yes, event) => this.#select(item, index, yes, event),
      onlike: () => this.#like(item),
      onunlike: item.rank ? () => this.#unlike(item) : null,
      onname: () => this.#name([item]),
      onwhy: item.why ? () => this.#why(item) : null,
    });
  }

  #onCard(run) {
    const grid = [this.grid, this.missGrid].find((one) => one && one.current >= 0);
    const item = grid?.source.at(grid.current);
    if (!item) return false;
    run(item, grid.current);
    return true;
  }

  #select(item, index, yes, event) {
    const grid = this.grid;
    if (event?.shiftKey && this.lastPicked !== null) {
      const [from, to] = [this.lastPicked, index].sort((a, b) => a - b);
      for (let at = from; at <= to; at += 1) {
        const one = grid.source.at(at);
        if (one && yes) this.selected.set(one.shot_id, one);
        if (at !== index) grid.redraw(at);
      }
    }
    if (yes) this.selected.set(item.shot_id, item);
    else this.selected.delete(item.shot_id);
    this.lastPicked = index;
    if (!event) (this.missGrid?.current >= 0 ? this.missGrid : grid).redraw(index);
    this.bar.set(this.selected.size);
  }

  #clearSelection() {
    const before = [...this.selected.keys()];
    this.selected.clear();
    this.lastPicked = null;
    this.bar?.set(0);
    if (!before.length) return;
    for (const grid of [this.grid, this.missGrid]) for (const index of grid?.cards.keys() ?? []) grid.redraw(index);
  }

  async #export(what) {
    const shots = [...this.selected.keys()];
    if (what === "clips") toast(`Cutting ${plural(shots.length, "clip")} …`);
    const name = await trying(() => download("/export", { query: this.route.q || "shots", what, shots }));
    if (name) toast(`Saved as ${name}`);
  }

  #like(item) {
    likes.set(String(item.shot_id), item);
    const like = [...new Set([...this.route.like, String(item.shot_id)])];
    go(address("search", [], { ...filtersOf(new URLSearchParams()), like }));
  }

  async #unlike(item) {
    if (this.names.length !== 1) {
      const before = location.hash;
      this.#go({ unlike: [...this.route.unlike, item.shot_id] });
      toast("Left out of this search", { undo: () => go(before) });
      return;
    }
    const instance = this.names[0];
    const body = { instance_id: instance.id, shot_id: item.shot_id };
    if (!(await trying(() => post("/feedback", { ...body, state: "rejected" })))) return;
    this.#removeCard(item);
    const undo = async () => {
      await trying(() => post("/feedback", { ...body, state: null }));
      last.hash = null;
      this.#run();
    };
    toast(`Not ${instance.name}: remembered`, { undo });
  }

  #removeCard(item) {
    this.items = this.items.filter((one) => one !== item);
    last.answer = { ...last.answer, hits: this.items };
    const at = this.grid.current;
    this.grid.show(new ListSource(this.items));
    if (at >= 0) requestAnimationFrame(() => this.grid.focus(at));
  }

  async #name(items) {
    const done = await nameDialog(items);
    if (done) this.#clearSelection();
  }

  #nameSelected() {
    this.#name([...this.selected.values()]);
  }

  #why(item) {
    openDialog("Why?", () => whyContent(item, this.names), { note: `${item.name}` });
  }

  #changed(what) {
    if (what.has("instances") && !this.route.q && !this.route.like.length) this.#drawUnder();
    const searching = this.route.q || this.route.like.length || this.photo;
    if (!what.has("library") || searching || store.status.shots === this.total) return;
    const busy = this.grid && (scrollY > 120 || this.grid.current >= 0 || this.selected.size);
    if (busy) this.fresh.hidden = false;
    else this.#run();
  }
}

/** Shots one asked for more of, to show their picture in the chip. */
const likes = new Map();

const clockOf = (item) => {
  const minutes = Math.floor(item.start / 60);
  return `${minutes}:${String(Math.floor(item.start % 60)).padStart(2, "0")}`;
};

function whyContent(item, names) {
  const rows = [];
  if (item.instance !== null && item.instance !== undefined) {
    const most = Math.max(Math.abs(item.instance), Math.abs(item.context ?? 0), 0.01);
    const name = names.map((one) => one.name).join(" and ") || "the name";
    rows.push(part(name, item.instance, most), part("the rest of the words", item.context ?? 0, most));
  }
  return h(
    "div.stack",
    null,
    frame(item),
    rows.length > 0 && h("dl.parts", null, rows),
    h("p", null, item.why),
    h("p.muted.small", null, `Rank ${count(item.rank)}, score ${item.score.toFixed(3)}.`),
  );
}

function part(label, value, most) {
  const bar = h("i");
  bar.style.width = `${(Math.abs(value) / most) * 100}%`;
  return h("div", null, h("dt", null, label), h("dd", null, h("span.bar", { class: value < 0 ? "minus" : "" }, bar), h("span.number", null, `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`)));
}
