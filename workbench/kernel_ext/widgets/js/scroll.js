// Where the lines of a very long list stand. Pure numbers: no element is touched.
//
// A browser draws no element of 30 million pixels, so the scrolled one has at most `LONGEST`. Small steps move
// the lines pixel by pixel; a leap (the bar dragged, Page Down held) goes to its share of the list.

export const LONGEST = 8_000_000;
export const ROW = 29; // pixels of a line, as the style sheet has them
export const HEAD = 45; // and of the heads

export class Lines {
  constructor(count, height) {
    this.count = count;
    this.height = height;
    this.opened = new Map(); // line → pixels that its details take
    this.offset = 0; // pixels of the list above the window
  }

  get total() {
    let more = 0;
    for (const pixels of this.opened.values()) more += pixels;
    return this.count * this.height + more;
  }

  /** Pixels of the scrolled element. */
  get scrolled() {
    return Math.min(this.total, LONGEST);
  }

  /** Where a line begins in the list. */
  top(line) {
    let more = 0;
    for (const [at, pixels] of this.opened) if (at < line) more += pixels;
    return line * this.height + more;
  }

  /** The line at a place of the list. */
  at(pixel) {
    let low = 0, high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= pixel) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Take where the browser has scrolled to; `before` is where it was, `window` how high the window is. */
  moved(scrollTop, before, window) {
    const room = Math.max(0, this.total - window);
    const bar = Math.max(0, this.scrolled - window);
    const step = scrollTop - before;
    if (bar === room) this.offset = scrollTop;
    else if (scrollTop <= 0) this.offset = 0;
    else if (scrollTop >= bar - 1) this.offset = room;
    else if (Math.abs(step) <= window) this.offset += step;
    else this.offset = (scrollTop / bar) * room;
    this.offset = Math.max(0, Math.min(this.offset, room));
  }

  /** Where the bar has to stand so that the list is at `offset`. */
  barFor(offset, window) {
    const room = Math.max(0, this.total - window);
    const bar = Math.max(0, this.scrolled - window);
    this.offset = Math.max(0, Math.min(offset, room));
    return bar === room || !room ? this.offset : (this.offset / room) * bar;
  }
}
