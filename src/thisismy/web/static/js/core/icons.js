/** Line icons, drawn on a 24 by 24 grid. */

const PATHS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.3 15.3 20 20",
  quote: "M4 5.5h16v10.5H11l-4.5 3.5v-3.5H4ZM8 9.5h8M8 12.5h5",
  things: "M4 8V6a2 2 0 0 1 2-2h2M16 4h2a2 2 0 0 1 2 2v2M20 16v2a2 2 0 0 1-2 2h-2M8 20H6a2 2 0 0 1-2-2v-2M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Z",
  library: "M3.5 7.5a2 2 0 0 1 2-2h3.8l2 2.3h7.2a2 2 0 0 1 2 2v7.2a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2Z",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5l4.7 4.7L19.5 7",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M19.5 14.3A8 8 0 0 1 9.7 4.5a8 8 0 1 0 9.8 9.8Z",
  auto: "M12 4a8 8 0 1 0 0 16ZM12 4a8 8 0 0 1 0 16",
  help: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9.7 9.6a2.4 2.4 0 1 1 3.4 2.2c-.7.3-1.1.9-1.1 1.7M12 16.5v.1",
  play: "M8 5.5v13l10.5-6.5Z",
  pause: "M8 5.5v13M16 5.5v13",
  like: "M4 5h7v6H4ZM4 14h7v5H4ZM14.5 5H20v5h-5.5ZM17.3 14v6M14.3 17h6",
  unlike: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM6.5 6.5l11 11",
  name: "M4 11.5V5.5A1.5 1.5 0 0 1 5.5 4h6L20 12.5 12.5 20ZM8.3 8.3v.1",
  why: "M5 19V11M10 19V5M15 19v-6M20 19V9",
  more: "M6 12v.1M12 12v.1M18 12v.1",
  filter: "M4 7h16M7 12h10M10 17h4",
  back: "M14.5 6 8.5 12l6 6",
  forward: "M9.5 6l6 6-6 6",
  down: "M6.5 9.5l5.5 5.5 5.5-5.5",
  undo: "M8 6 4 10l4 4M4.5 10H14a5 5 0 0 1 0 10h-3",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  plus: "M12 5v14M5 12h14",
  edit: "M5 19l1-4L16 5l3 3L9 18ZM14 7l3 3",
  merge: "M6 4v4c0 4 6 3.5 6 8v4M18 4v4c0 4-6 3.5-6 8M9.5 17.5 12 20l2.5-2.5",
  split: "M12 4v4c0 4.5-6 4-6 8.5V20M12 8c0 4.5 6 4 6 8.5V20M3.5 17.5 6 20l2.5-2.5M15.5 17.5 18 20l2.5-2.5",
  sound: "M5 10v4h3l4 3.5v-11L8 10ZM15.5 9.5a3.5 3.5 0 0 1 0 5M18 7a7 7 0 0 1 0 10",
  mute: "M5 10v4h3l4 3.5v-11L8 10ZM16 10l4.5 4.5M20.5 10 16 14.5",
  full: "M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15",
  box: "M5 8V5h3M16 5h3v3M19 16v3h-3M8 19H5v-3M9 9h6v6H9Z",
  photo: "M4 6h16v13H4ZM4 16l4.5-4.5L13 16l2.5-2.5L20 17.5M15 9.5v.1",
  learn: "M12 4l9 4.5-9 4.5-9-4.5ZM6.5 10.5V15c0 1.5 2.5 3 5.5 3s5.5-1.5 5.5-3v-4.5",
  alert: "M12 4.5 20.5 19h-17ZM12 10v4M12 16.5v.1",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 19.5h14",
  clips: "M4 7h16v12H4ZM4 11h16M8 7l2 4M13 7l2 4",
  table: "M4 5.5h16v13H4ZM4 10h16M4 14h16M10 5.5v13",
  prev: "M17 6l-7 6 7 6ZM7 6v12",
  next: "M7 6l7 6-7 6ZM17 6v12",
  folder: "M3.5 7.5a2 2 0 0 1 2-2h3.8l2 2.3h7.2a2 2 0 0 1 2 2v7.2a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2Z",
  again: "M19 8.5A7.5 7.5 0 1 0 19.5 13M19.5 4.5v4.5H15",
};

/**
 * An icon; it is decoration, the element around it carries the words.
 *
 * @param {keyof typeof PATHS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const attributes = {
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": name === "more" ? "2.6" : "1.7",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
    focusable: "false",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
