/** Numbers, times and dates as people read them. */

/** Seconds as 1:02:03 or 2:03; tenths when asked for. */
export function clock(seconds, tenths = false) {
  const whole = tenths ? Math.round(seconds * 10) / 10 : Math.floor(seconds + 1e-6);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = tenths ? (whole % 60).toFixed(1).padStart(4, "0") : String(Math.floor(whole % 60)).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds in words, for people who listen: "1 hour 2 minutes 3 seconds". */
export function spoken(seconds) {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, word]) => plural(n, word));
  return said.join(" ") || "0 seconds";
}

/** "1 shot", "12,345 shots". */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

const grouped = new Intl.NumberFormat("en");
export const count = (n) => grouped.format(n);

/** Bytes as "12.3 MB". */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let left = n ?? 0;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

const dayFormat = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** An ISO time as a day, "" when there is none. */
export function day(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : dayFormat.format(date);
}

/** A share as a percentage; never "100 %" for what is less. */
export function percent(share, digits = 0) {
  const shown = Math.min(share * 100, share < 1 ? 100 - 10 ** -digits : 100);
  return `${shown.toFixed(digits)}%`;
}

/** Where a moment is: "0:04 – 0:09", or "photo". */
export function when(item) {
  return item.kind === "photo" ? "photo" : `${clock(item.start)} – ${clock(item.end)}`;
}
