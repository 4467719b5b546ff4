// Where the columns stand: their widths by what is in them, up to 40 characters, and those that can be seen.

const PADDING = 18, HEAD = 34, MARK = 12, LEAST = 64, MOST_CHARACTERS = 40;
export const GUTTER = 28;

export class Columns {
  constructor(columns) {
    this.all = columns;
    this.hidden = new Set();
    this.widths = columns.map(() => LEAST);
    this.lay();
  }

  /** Make room for the names and for what the first lines hold, in the fonts of `style`. */
  measure(lines, style) {
    const pen = document.createElement("canvas").getContext("2d");
    const plain = style.getPropertyValue("--jp-ui-font-family") || style.fontFamily;
    const code = style.getPropertyValue("--jp-code-font-family") || "monospace";
    const width = (text, font) => {
      pen.font = font;
      return pen.measureText(text.slice(0, MOST_CHARACTERS)).width;
    };
    this.widths = this.all.map((column, number) => {
      const head = Math.max(width(column.name, `600 13px ${plain}`), width(column.type, `12px ${plain}`)) + HEAD;
      const font = column.code ? `12px ${code}` : `13px ${plain}`;
      let most = Math.max(LEAST - PADDING, head);
      for (const line of lines) most = Math.max(most, width(line.text(number) ?? "–", font) + (column.level ? MARK : 0));
      return Math.ceil(most + PADDING);
    });
    this.lay();
  }

  lay() {
    this.shown = this.all.map((_, number) => number).filter((number) => !this.hidden.has(number));
    this.lefts = [];
    let left = GUTTER;
    for (const number of this.shown) {
      this.lefts.push(left);
      left += this.widths[number];
    }
    this.width = left;
  }

  /** Places in `shown` of the columns between two pixels. */
  between(left, right) {
    let first = 0;
    while (first < this.shown.length - 1 && this.lefts[first + 1] <= left) first++;
    let last = first;
    while (last < this.shown.length - 1 && this.lefts[last + 1] < right) last++;
    return [first, last];
  }
}
