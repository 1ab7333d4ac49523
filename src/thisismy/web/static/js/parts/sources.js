/**
 * What a grid shows: a number of items, of which only some are here.
 *
 * A source has `total`, `at(index)` (undefined while not here), `want(from, to)` and `onchange`.
 */

/** Items that are all here. */
export class ListSource {
  constructor(items) {
    this.items = items;
    this.onchange = () => {};
  }

  get total() {
    return this.items.length;
  }

  at(index) {
    return this.items[index];
  }

  want() {}
}

/** Items that are fetched in pages as they come into view. */
export class PagedSource {
  /**
   * @param {(offset: number, limit: number, signal: AbortSignal) => Promise<{total: number, items: Object[]}>} load
   * @param {number} [size] Items of a page.
   */
  constructor(load, size = 100) {
    this.load = load;
    this.size = size;
    this.total = 0;
    this.pages = new Map();
    this.asking = new Map();
    this.onchange = () => {};
    this.onerror = () => {};
  }

  at(index) {
    return this.pages.get(Math.floor(index / this.size))?.[index % this.size];
  }

  /** Fetch what is missing of a window, and give up what is asked for elsewhere. */
  want(from, to) {
    const first = Math.floor(from / this.size);
    const last = Math.floor(Math.max(from, to - 1) / this.size);
    for (const [page, asking] of this.asking) {
      if (page < first - 1 || page > last + 1) asking.abort();
    }
    for (let page = first; page <= last; page += 1) this.fetch(page);
  }

  /** Read the first page; afterwards `total` is known. */
  async open() {
    await this.fetch(0);
    return this;
  }

  async fetch(page) {
    if (this.pages.has(page) || this.asking.has(page)) return;
    const asking = new AbortController();
    this.asking.set(page, asking);
    try {
      const answer = await this.load(page * this.size, this.size, asking.signal);
      this.pages.set(page, answer.items);
      this.total = answer.total;
      this.onchange();
    } catch (error) {
      if (error.name !== "AbortError") this.onerror(error);
    } finally {
      this.asking.delete(page);
    }
  }
}
