/** Library: folders, what is being done, what failed and why, disk use, encoder and settings. */

import { get, post } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { bytes, clock, count, day, plural } from "../core/format.js";
import { icon } from "../core/icons.js";
import { bind } from "../core/keys.js";
import { address } from "../core/router.js";
import { activeJobs, ended, store, watch } from "../core/store.js";
import { confirmDanger, openDialog } from "../parts/dialog.js";
import { jobBar, jobWords, startJob } from "../parts/jobs.js";
import { complain, toast, trying } from "../parts/toast.js";
import { addFolder } from "../parts/welcome.js";

const PAGE = 50;

export function show(root) {
  return new LibraryView(root);
}

class LibraryView {
  constructor(root) {
    this.title = "Library";
    this.shownFiles = PAGE;
    this.parts = Object.fromEntries(["now", "folders", "facts", "failures", "files"].map((name) => [name, h("section.card.part", { class: name })]));
    const title = h("div", null, h("h1", null, "Library"), h("p.muted", null, "What thisismy knows of, and where it keeps what it has learned. Your files are never changed."));
    fill(root, h("header.view-head", null, title), h("div.library", null, Object.values(this.parts)));
    this.stop = [
      watch((what) => this.#changed(what)),
      bind("Library", [
        { keys: "a", does: "Add a folder", run: () => root.querySelector(".add-folder input")?.focus() },
        { keys: "r", does: "Look for what is new", run: () => startJob({ kind: "index" }) },
      ]),
    ];
    this.#load();
  }

  update(to) {
    return to.page === "library";
  }

  close() {
    this.closed = true;
    for (const stop of this.stop) stop();
  }

  #changed(what) {
    if (what.has("jobs")) this.#drawNow();
    if (what.has("library") || what.has("status")) this.#load();
  }

  async #load() {
    if (this.loading) {
      this.again = true;
      return;
    }
    this.loading = true;
    const all = await trying(() => Promise.all([get("/library"), get("/media", { state: "failed", limit: 200 }), get("/media", { limit: this.shownFiles })]));
    this.loading = false;
    if (!all || this.closed) return;
    const [library, failed, files] = all;
    this.#drawNow();
    this.#drawFolders(library);
    this.#drawFailures(failed);
    this.#drawFacts(library);
    this.#drawFiles(files);
    if (this.again) {
      this.again = false;
      this.#load();
    }
  }

  #drawNow() {
    const jobs = activeJobs();
    this.parts.now.hidden = !jobs.length;
    fill(this.parts.now, h("h2", null, "Now"), jobs.map((job) => h("div.stack.tight", null, h("div.row", null, h("strong.clip", null, job.title), h("span.muted.small.push.number", null, jobWords(job))), jobBar(job), job.lines.slice(-1).map((line) => h("p.faint.small.clip", null, line)))));
  }

  #drawFolders({ folders }) {
    const input = this.parts.folders.querySelector(".add-folder input");
    if (input && document.activeElement === input) {
      this.parts.folders.querySelector(".folder-list").replaceWith(this.#folderList(folders));
      return;
    }
    const allowed = store.status?.folders_allowed ?? true;
    const again = h("button.button.compact", { type: "button", on: { click: () => startJob({ kind: "index" }) } }, icon("again"), "Look for what is new");
    fill(
      this.parts.folders,
      h("div.row.wrap", null, h("h2", null, "Folders"), folders.length > 0 && h("span.push", null, again)),
      this.#folderList(folders),
      allowed ? addFolder() : h("p.muted.small", null, "Folders are added on the machine itself: ", h("code", null, "thisismy add FOLDER")),
    );
  }

  #folderList(folders) {
    if (!folders.length) return h("p.muted.folder-list", null, "No folder yet. Type where your videos and photos are; they stay where they are.");
    return h(
      "ul.folder-list",
      null,
      folders.map((folder) => {
        const drop = h("button.icon-button", { type: "button", title: "Forget this folder", "aria-label": `Forget ${folder.path}` }, icon("close"));
        drop.addEventListener("click", () => this.#forget(folder));
        return h("li.row", null, icon("folder"), h("span.clip.path", { title: folder.path }, folder.path), !folder.exists && h("span.tag.no", null, "not there now"), h("span.faint.small.number.push", null, plural(folder.files, "file")), drop);
      }),
    );
  }

  async #forget(folder) {
    const sure = await confirmDanger({ title: "Forget this folder?", text: `${folder.path}: what was worked out about its ${plural(folder.files, "file")} is deleted. The files themselves, your names and your examples stay.`, action: "Forget" });
    if (sure) startJob({ kind: "forget", folder_ids: [folder.id] });
  }

  #drawFailures({ total, items }) {
    this.parts.failures.hidden = !total;
    const retry = h("button.button.compact", { type: "button" }, icon("again"), "Try again");
    retry.addEventListener("click", () => startJob({ kind: "index" }));
    fill(
      this.parts.failures,
      h("div.row.wrap", null, h("h2", null, "Could not be read ", h("span.count", null, count(total))), h("span.push", null, retry)),
      h(
        "ul.failure-list",
        null,
        items.map((file) => {
          const forget = h("button.button.compact.plain", { type: "button", "aria-label": `Forget ${file.name}` }, "Forget");
          forget.addEventListener("click", () => startJob({ kind: "forget", file_ids: [file.file_id] }));
          return h("li", null, h("div", null, h("strong.clip", { title: file.path }, file.name), h("p.small.bad-words", null, file.error), h("p.small.faint.clip", null, file.path)), forget);
        }),
      ),
    );
  }

  /** Change how videos are looked at; what depends on it is worked out again. */
  async #change(settings, detectors) {
    const changes = await openDialog("Settings", (close) => settingsForm(settings, detectors, close), { note: "What depends on a change is worked out again; names and decisions stay." });
    if (changes) startJob({ kind: "index", settings: changes });
  }

  #drawFacts({ folder, settings, disk, states, detectors }) {
    const { status } = store;
    const total = disk.database + disk.cache + disk.vocabulary;
    const fact = (name, value, more) => h("div", null, h("dt", null, name), h("dd.number", null, value, more && h("small.faint", null, more)));
    const clear = h("button.button.compact.plain", { type: "button" }, "Empty the cache");
    clear.addEventListener("click", async () => {
      const answer = await trying(() => post("/library/clear-cache"));
      if (answer) toast(`${bytes(answer.freed)} freed; pictures are made again when needed`);
      this.#load();
    });
    const change = h("button.button.compact", { type: "button", on: { click: () => this.#change(settings, detectors) } }, icon("edit"), "Settings");
    const listen = h("button.button.compact", { type: "button" }, icon("sound"), "Listen to speech");
    listen.addEventListener("click", async () => {
      const job = await startJob({ kind: "transcribe", speech: true });
      if (job && (await ended(job)).state === "failed") complain(new Error("Speech needs the extra “speech”; subtitles work without it."));
    });
    fill(
      this.parts.facts,
      h("h2", null, "What is in it"),
      h(
        "dl.fact-list",
        null,
        fact("Videos", count(status?.videos ?? 0)),
        fact("Photos", count(status?.photos ?? 0)),
        fact("Shots", count(status?.shots ?? 0)),
        states.missing > 0 && fact("Gone from disk", count(states.missing)),
        fact("Kept on disk", bytes(total), ` ${bytes(disk.database)} library, ${bytes(disk.cache)} cache`),
        fact("Your files", bytes(disk.media ?? 0)),
        fact("Free", bytes(disk.free)),
        fact("Encoder", settings.encoder),
        fact("Cuts by", settings.detector),
        fact("Frames", `${settings.rate} a second`, ` ${settings.at_least} to ${settings.at_most} a shot`),
        fact("Version", status?.version ?? ""),
      ),
      h("p.faint.small.path", { title: settings.encoder_id ?? "" }, folder),
      h("div.row.wrap", null, change, listen, states.missing > 0 && h("button.button.compact.plain", { type: "button", on: { click: () => startJob({ kind: "forget", missing: true }) } }, "Forget what is gone"), clear),
    );
  }

  #drawFiles({ total, items }) {
    this.parts.files.hidden = !total;
    const rows = items.map((file) => {
      const thumb = h("span.frame.tiny.here");
      if (file.picture) thumb.append(h("img", { src: file.picture, alt: "", loading: "lazy" }));
      const name = file.media_id !== null && file.state !== "failed" ? h("a.clip", { href: address("watch", [file.media_id]), title: file.path }, file.name) : h("span.clip", { title: file.path }, file.name);
      const facts = [file.duration ? clock(file.duration) : file.kind, file.width && `${file.width} × ${file.height}`, file.kind === "video" && plural(file.shots, "shot"), day(file.created)].filter(Boolean).join(" · ");
      return h("li", null, thumb, h("span.about", null, name, h("small.faint.number.clip", null, facts)), file.state !== "indexed" && h("span.tag", { class: file.state === "failed" ? "no" : "mark" }, file.state), file.notes.length > 0 && h("span.tag.clip", { title: file.notes.join("\n") }, plural(file.notes.length, "note")));
    });
    const more = h("button.button.compact", { type: "button" }, "Show more");
    more.addEventListener("click", () => {
      this.shownFiles = Math.min(500, this.shownFiles * 4);
      this.#load();
    });
    fill(this.parts.files, h("h2", null, "Files ", h("span.count", null, count(total))), h("ul.file-list", null, rows), items.length < total && this.shownFiles < 500 && h("div.row", null, more));
  }
}

const NUMBERS = ["rate", "at_least", "at_most"];

function settingsForm(settings, detectors, close) {
  const number = (key, label, step, min) => h("label.field", null, h("span", null, label), h("input.input", { name: key, type: "number", step, min, max: 60, value: settings[key], required: true }));
  const form = h(
    "form.stack",
    null,
    h("label.field", null, h("span", null, "Encoder"), h("input.input", { name: "encoder", value: settings.encoder, spellcheck: "false", required: true }), h("small", null, "“embedded”, “auto”, a folder, or a model of the hub that is on this machine.")),
    h("label.field", null, h("span", null, "Cuts are found by"), h("select.select", { name: "detector" }, detectors.map((one) => h("option", { value: one, selected: one === settings.detector }, one)))),
    number("rate", "Frames a second", "any", 0.01),
    h("div.pair", null, number("at_least", "At least, a shot", 1, 1), number("at_most", "At most, a shot", 1, 1)),
    h("footer", null, h("button.button.primary", { type: "submit" }, "Apply and index")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const changed = {};
    for (const key of ["encoder", "detector", ...NUMBERS]) {
      const value = NUMBERS.includes(key) ? Number(data.get(key)) : String(data.get(key)).trim();
      if (value !== settings[key]) changed[key] = value;
    }
    close(Object.keys(changed).length ? changed : undefined);
  });
  return form;
}
