/** Where in time an instance appears: by month, then the moments themselves. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { day, plural } from "../core/format.js";
import { Grid } from "../parts/grid.js";
import { shotCard } from "../parts/shot.js";
import { ListSource } from "../parts/sources.js";
import { trying } from "../parts/toast.js";

const monthName = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short" });

export class OccurrencesTab {
  constructor(root, view) {
    this.root = root;
    this.view = view;
    this.#load();
  }

  close() {
    this.closed = true;
    this.grid?.close();
  }

  changed(what) {
    if (what.has("vocabulary")) this.#load();
  }

  async #load() {
    const answer = await trying(() => get(`/instances/${this.view.id}/occurrences`, { limit: 500 }));
    if (!answer || this.closed) return;
    this.grid?.close();
    if (!answer.items.length) {
      fill(this.root, h("div.empty", null, h("h2", null, "Seen nowhere yet"), h("p.muted", null, "Name it in a video, or learn it, and the moments it appears in come here.")));
      return;
    }
    const note = answer.learned ? "Confirmed, and found with certainty." : "Only what you confirmed: it is not learned yet.";
    this.grid = new Grid({ label: "Where it appears", card: (item) => this.#card(item) });
    fill(this.root, h("div.toolbar", null, h("h2", null, plural(answer.items.length, "moment")), h("span.muted.small", null, note)), this.#months(answer.months), this.grid.element);
    this.grid.show(new ListSource(answer.items));
  }

  #card(item) {
    const card = shotCard(item, { query: { q: this.view.instance.name } });
    if (item.confirmed) card.querySelector(".frame").append(h("span.tag.yes.on-frame", null, "confirmed"));
    return card;
  }

  #months(months) {
    const most = Math.max(...months.map((one) => one.count), 1);
    if (months.length < 2) return months[0]?.month ? h("p.muted", null, `All in ${nameOf(months[0].month)}.`) : null;
    return h(
      "ol.months",
      { "aria-label": "By month" },
      months.map((one) => {
        const bar = h("i");
        bar.style.height = `${Math.max(6, (one.count / most) * 100)}%`;
        return h("li", { title: `${nameOf(one.month)}: ${plural(one.count, "moment")}` }, h("span.column", null, bar), h("span.small.faint", null, nameOf(one.month)), h("span.small.number", null, one.count));
      }),
    );
  }
}

function nameOf(month) {
  if (!month) return "no date";
  const date = new Date(`${month}-15`);
  return Number.isNaN(date.getTime()) ? day(month) : monthName.format(date);
}
