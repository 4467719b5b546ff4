// Rows as they come from the kernel, a block at a time; what was fetched lately is kept.

import { readStream } from "./arrow.js";

export const BLOCK = 100;
const MOST_BLOCKS = 30;

export class Windows {
  /** `fetch(start, count)` gives the bytes of a window. */
  constructor(fetch) {
    this.fetch = fetch;
    this.clear();
  }

  clear() {
    this.blocks = new Map();
    this.asked = new Set();
    this.age = (this.age ?? 0) + 1;
  }

  /** A first window that came with another answer. */
  put(start, bytes) {
    this.blocks.set(`head${start}`, { start, columns: readStream(bytes) });
  }

  /** The values of a line, or null while they are on their way. */
  line(number) {
    const block = this.blocks.get(Math.floor(number / BLOCK)) ?? this.blocks.get("head0");
    if (!block) return null;
    const at = number - block.start;
    return at >= 0 && at < block.columns.get("row").length ? new Line(block.columns, at) : null;
  }

  /** See that the lines from `first` to `last` are there; true once something came. */
  async need(first, last) {
    const missing = [];
    for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) {
      if (!this.blocks.has(block) && !this.asked.has(block)) missing.push(block);
    }
    if (!missing.length) return false;
    const { age } = this;
    await Promise.all(missing.map(async (block) => {
      this.asked.add(block);
      try {
        const bytes = await this.fetch(block * BLOCK, BLOCK);
        if (age !== this.age) return;
        this.blocks.delete("head0");
        this.blocks.set(block, { start: block * BLOCK, columns: readStream(bytes) });
        for (const old of this.blocks.keys()) if (this.blocks.size > MOST_BLOCKS) this.blocks.delete(old);
      } finally {
        if (age === this.age) this.asked.delete(block);
      }
    }));
    return age === this.age;
  }
}

class Line {
  constructor(columns, at) {
    this.columns = columns;
    this.at = at;
  }

  get row() { return this.columns.get("row")[this.at]; }
  get group() { return this.columns.get("group")[this.at]; }
  get count() { return this.columns.get("count")[this.at]; }
  get opened() { return this.columns.get("opened")[this.at]; }

  /** The text of a cell; null is null, undefined a column that was not fetched. */
  text(column) { return this.columns.get(`c${column}`)?.[this.at]; }
}
