/** The page: the bar on top, one view below it, and what is the same everywhere. */

import { fill, h } from "./core/dom.js";
import { icon } from "./core/icons.js";
import { bind, listen } from "./core/keys.js";
import { address, go, parse } from "./core/router.js";
import { activeJobs, connect, refresh, store, watch } from "./core/store.js";
import { nextTheme, theme } from "./core/theme.js";
import { showHelp } from "./parts/help.js";
import { toggleJobs, jobsButton } from "./parts/jobs.js";
import { complain, toast } from "./parts/toast.js";
import * as library from "./views/library.js";
import * as mined from "./views/mined.js";
import * as search from "./views/search.js";
import * as thing from "./views/thing.js";
import * as things from "./views/things.js";
import * as watching from "./views/watch.js";

const PAGES = {
  search: { label: "Search", icon: "search", view: search },
  mined: { label: "Mined", icon: "quote", view: mined },
  things: { label: "My things", icon: "things", view: things },
  library: { label: "Library", icon: "library", view: library },
  thing: { view: thing, within: "things" },
  watch: { view: watching, within: "search" },
};

const main = document.getElementById("main");
let shown = null;

function drawTop() {
  const links = Object.entries(PAGES)
    .filter(([, page]) => page.label)
    .map(([name, page]) => {
      const badge = h("span.badge.number", { hidden: true });
      const link = h("a.tab", { href: address(name), data: { page: name } }, icon(page.icon), h("span", null, page.label), badge);
      return link;
    });
  const themeButton = h("button.icon-button", { type: "button", id: "theme" });
  themeButton.addEventListener("click", switchTheme);
  const help = h("button.icon-button", { type: "button", "aria-label": "Keys and help", title: "Keys and help (?)" }, icon("help"));
  help.addEventListener("click", showHelp);
  const brand = h("a.brand", { href: "#/search", "aria-label": "thisismy, to the beginning" }, h("img", { src: "/static/icon.svg", alt: "", width: 28, height: 28 }), h("b", null, "thisismy"));
  fill(
    document.getElementById("top"),
    brand,
    h("nav.tabs", { "aria-label": "Pages" }, links),
    h("div.row.push.top-right", null, h("span.offline.tag.no", { hidden: true, id: "offline" }, "not connected"), jobsButton(), themeButton, help),
  );
  drawTheme();
}

function drawTheme() {
  const now = theme();
  const button = document.getElementById("theme");
  fill(button, icon({ auto: "auto", light: "sun", dark: "moon" }[now]));
  const label = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" }[now];
  button.title = label;
  button.setAttribute("aria-label", `${label}. Change`);
}

function switchTheme() {
  const now = nextTheme();
  drawTheme();
  toast({ auto: "Light or dark, as the system says", light: "Light", dark: "Dark" }[now], { seconds: 1.6 });
}

function drawState() {
  const open = store.status?.open_mentions ?? 0;
  const badge = document.querySelector('[data-page="mined"] .badge');
  badge.hidden = !open;
  badge.textContent = open > 99 ? "99+" : String(open);
  badge.setAttribute("aria-label", `${open} to review`);
  document.getElementById("offline").hidden = store.connected;
  const busy = activeJobs().length ? "● " : "";
  document.title = `${busy}${shown?.title ?? "thisismy"}`;
}

function route() {
  const to = parse(location.hash);
  const page = PAGES[to.page] ? to.page : "search";
  if (shown?.page === page && shown.view.update?.(to)) {
    setTitle(shown.view.title);
    return;
  }
  const first = !shown;
  shown?.view.close?.();
  main.replaceChildren();
  main.dataset.page = page;
  scrollTo(0, 0);
  shown = { page, view: null, title: "thisismy" };
  shown.view = PAGES[page].view.show(main, to);
  setTitle(shown.view.title);
  const current = PAGES[page].within ?? page;
  for (const link of document.querySelectorAll(".tab")) {
    if (link.dataset.page === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!first && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

/** Views whose title depends on what they fetch call this when it is here. */
function setTitle(title) {
  if (shown) shown.title = title ? `${title} · thisismy` : "thisismy";
  drawState();
}

addEventListener("title", (event) => setTitle(event.detail));

function bindKeys() {
  const to = (page) => () => go(address(page));
  bind("Everywhere", [
    { keys: "/", does: "Search", run: toSearchBox },
    { keys: "g s", does: "Go to Search", run: to("search") },
    { keys: "g m", does: "Go to Mined", run: to("mined") },
    { keys: "g t", does: "Go to My things", run: to("things") },
    { keys: "g l", does: "Go to Library", run: to("library") },
    { keys: "g j", does: "What is being done", run: toggleJobs },
    { keys: "t", does: "Light, dark, or as the system", run: switchTheme },
    { keys: "?", does: "This help", run: showHelp },
  ]);
}

/** A file that is dropped must not take the place of the page; a view with `takeFiles` gets it. */
function bindDrops() {
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event) || event.defaultPrevented) return;
    event.preventDefault();
    if (shown?.view.takeFiles) shown.view.takeFiles(event.dataTransfer.files);
    else toast("Drop a photo on Search to find more like it, or on one of your things to add it", { seconds: 7 });
  });
}

/** At once, so that what is typed next arrives in the box. */
function toSearchBox() {
  if (shown.page !== "search") {
    history.pushState(null, "", "#/search");
    route();
  }
  document.querySelector(".search-input").focus();
}

async function begin() {
  history.scrollRestoration = "manual";
  drawTop();
  bindKeys();
  bindDrops();
  listen();
  watch((what) => (what.has("status") || what.has("jobs")) && drawState());
  addEventListener("hashchange", route);
  try {
    await refresh();
  } catch (error) {
    complain(error);
  }
  connect();
  route();
}

begin();
