// The grid over one result: a window on its lines, heads of columns, the active cell. It holds no rows but those
// that can be seen and some around; order, conditions and groups are made by the kernel.

import { columnPanel } from "./column_panel.js";
import { Columns, GUTTER } from "./columns.js";
import { details } from "./details.js";
import { button, h, newId } from "./dom.js";
import { keyPressed, rowMenu } from "./moves.js";
import { cellOf, cellText, putCellText } from "./notebook_cell.js";
import { closePopover, openPopover } from "./popover.js";
import { paint } from "./rows.js";
import { HEAD, Lines, ROW } from "./scroll.js";
import { Toolbar } from "./toolbar.js";
import { Windows } from "./windows.js";

const TALLEST = 440, AHEAD = 12, AROUND = 10;

export class Grid {
  /** Ask for a result and make its grid; an error where the kernel has it no longer. */
  static async open(client, id) {
    return new Grid(client, id, await client.ask("open", { result: id }));
  }

  constructor(client, id, about, parent = null) {
    Object.assign(this, { client, id, about, parent, place: about.range.place });
    this.columns = about.columns;
    this.layout = new Columns(this.columns);
    this.arrangement = { sort: [], conditions: [], search: "", group: null };
    this.rows = about.rows;
    this.lines = new Lines(about.height, ROW);
    this.active = { line: 0, column: 0 };
    this.anchor = null; // where a selection began
    this.details = new Map(); // line → element of its details
    this.windows = new Windows(async (start, count) => (await this.ask("window", { start, count, columns: this.layout.shown })).bytes);
    this.windows.put(0, about.bytes);
    this.build();
  }

  get hidden() { return this.layout.hidden; }
  get height() { return this.lines.count; }

  ask(what, more = {}) {
    return this.client.ask(what, { result: this.id, ...more });
  }

  firstLines() {
    const lines = [];
    for (let i = 0; i < Math.min(60, this.height); i++) {
      const line = this.windows.line(i);
      if (line) lines.push(line);
    }
    return lines;
  }

  build() {
    this.head = h("div", { class: "wb-head", role: "row", "aria-rowindex": 1 });
    this.body = h("div", { class: "wb-lines", role: "rowgroup" });
    this.canvas = h("div", { class: "wb-canvas", role: "presentation" }, this.head, this.body);
    this.view = h("div", {
      class: "wb-view", role: "grid", tabindex: 0, "aria-label": `Result, ${this.about.in_all} rows`,
      "aria-multiselectable": "true", "aria-readonly": "true",
    }, this.canvas);
    this.root = h("div", { class: "wb-grid", "data-lm-suppress-shortcuts": "true", "data-jp-suppress-context-menu": "" }, this.view);
    this.toolbar = new Toolbar(this);
    this.root.append(this.toolbar.root);
    this.cellId = newId("cell");
    this.before = 0;
    this.view.addEventListener("scroll", () => {
      this.lines.moved(this.view.scrollTop, this.before, this.roomForLines());
      this.before = this.view.scrollTop;
      this.soon();
    });
    this.view.addEventListener("keydown", (event) => keyPressed(this, event));
    this.view.addEventListener("pointerdown", (event) => this.pressed(event));
    this.view.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".wb-head, .wb-details, button")) this.toggle(this.active.line);
    });
    this.view.addEventListener("contextmenu", (event) => this.menuAsked(event));
    this.resized = new ResizeObserver(() => this.soon());
    this.size();
  }

  /** The grid is on the page now. */
  shown() {
    this.resized.observe(this.view);
    this.layout.measure(this.firstLines(), getComputedStyle(this.root));
    this.size();
    this.paint();
  }

  close() {
    closePopover(false);
    this.resized.disconnect();
    this.toolbar.close();
    this.root.remove();
  }

  // ---- painting ---------------------------------------------------------------------------

  size() {
    const height = Math.min(TALLEST, HEAD + Math.max(1, this.height) * ROW + 2);
    this.view.style.maxHeight = `${TALLEST}px`;
    this.view.style.height = this.details.size ? `${TALLEST}px` : `${height + (this.layout.width > this.view.clientWidth ? 12 : 0)}px`;
    this.view.style.width = `min(100%, ${this.layout.width + (this.lines.total + HEAD > TALLEST ? 16 : 2)}px)`;
    this.canvas.style.width = `${this.layout.width}px`;
    this.canvas.style.height = `${HEAD + this.lines.scrolled}px`;
    this.view.setAttribute("aria-rowcount", String(this.height + 1));
    this.view.setAttribute("aria-colcount", String(this.layout.shown.length));
  }

  roomForLines() {
    return Math.max(ROW, this.view.clientHeight - HEAD);
  }

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    if (!this.view.clientWidth) return; // hidden, as all of the page is while JupyterLab changes its theme
    const first = Math.max(0, this.lines.at(this.lines.offset) - 2);
    const last = Math.min(this.height - 1, this.lines.at(this.lines.offset + this.roomForLines()) + 2);
    paint(this, first, last);
    const seen = this.lines.at(Math.max(0, this.lines.offset + this.roomForLines() - ROW / 2));
    this.toolbar.tell(this.lines.at(this.lines.offset + ROW / 2), Math.min(this.height, seen + 1));
    if (this.height) {
      this.windows.need(Math.max(0, first - AHEAD), Math.min(this.height - 1, last + AHEAD)).then(
        (came) => came && this.soon(),
        (error) => this.toolbar.refuse(error),
      );
    }
  }

  // ---- the active cell and what is chosen ---------------------------------------------------

  /** Make a cell the active one and bring it into view; line -1 is the heads. `more`: the choice reaches there. */
  go(line, column, more = false) {
    const lastColumn = this.layout.shown.length - 1;
    this.anchor = more ? this.anchor ?? { ...this.active } : null;
    this.active = { line: Math.max(-1, Math.min(line, this.height - 1)), column: Math.max(0, Math.min(column, lastColumn)) };
    if (this.active.line >= 0) this.reveal(this.active.line);
    const left = this.layout.lefts[this.active.column] ?? 0;
    const right = left + (this.layout.widths[this.layout.shown[this.active.column]] ?? 0);
    if (left - GUTTER < this.view.scrollLeft) this.view.scrollLeft = this.active.column ? left : 0;
    else if (right > this.view.scrollLeft + this.view.clientWidth) this.view.scrollLeft = right - this.view.clientWidth;
    this.paint();
  }

  reveal(line) {
    const top = this.lines.top(line), room = this.roomForLines();
    if (top < this.lines.offset) this.scrollTo(top);
    else if (top + ROW > this.lines.offset + room) this.scrollTo(top + ROW - room);
  }

  scrollTo(offset) {
    this.view.scrollTop = this.lines.barFor(offset, this.roomForLines());
    this.before = this.view.scrollTop;
    this.soon();
  }

  /** First and last line, and first and last column, of what is chosen. */
  chosen() {
    const from = this.anchor ?? this.active;
    const lines = [from.line, this.active.line].sort((a, b) => a - b);
    const columns = [from.column, this.active.column].sort((a, b) => a - b);
    return { first: Math.max(0, lines[0]), last: Math.max(0, lines[1]), left: columns[0], right: columns[1] };
  }

  pressed(event) {
    const cell = event.target.closest("[data-line]");
    if (event.button !== 0 || !cell || event.target.closest(".wb-details, button")) return;
    this.view.focus({ preventScroll: true });
    event.preventDefault();
    const line = Number(cell.dataset.line);
    if (line < 0) {
      // Drawn anew, the head would no longer be what the click then meets.
      this.active = { line, column: Number(cell.dataset.column) };
      return;
    }
    this.go(line, Number(cell.dataset.column), event.shiftKey);
    if (line >= 0 && this.windows.line(line)?.group >= 0) this.toggle(line);
  }

  menuAsked(event) {
    const cell = event.target.closest(".wb-cell[data-line]");
    if (!cell) return;
    event.preventDefault();
    event.stopPropagation(); // or the notebook's own menu comes too
    this.view.focus({ preventScroll: true });
    this.go(Number(cell.dataset.line), Number(cell.dataset.column));
    this.openMenu({ left: event.clientX, right: event.clientX, top: event.clientY, bottom: event.clientY });
  }

  openMenu(at) {
    const line = this.windows.line(this.active.line);
    if (line && line.group < 0) openPopover(at, "Cell", rowMenu(this, line));
  }

  activeBox() {
    return (document.getElementById(this.cellId) ?? this.view).getBoundingClientRect();
  }

  openColumn(place) {
    const number = this.layout.shown[place];
    const head = this.head.querySelector(`[data-column="${place}"]`) ?? this.head;
    openPopover(head.getBoundingClientRect(), this.columns[number].name, columnPanel(this, number));
  }

  // ---- order, conditions, groups, columns ---------------------------------------------------

  async arrange(change) {
    const wanted = { ...this.arrangement, ...change };
    const made = await this.ask("arrange", { arrangement: wanted, columns: this.layout.shown });
    this.arrangement = wanted;
    this.shut();
    this.windows.clear();
    this.windows.put(0, made.bytes);
    this.rows = made.rows;
    this.lines.count = made.height;
    this.lines.offset = this.view.scrollTop = this.before = 0;
    this.active = { line: 0, column: this.active.column };
    this.anchor = null;
    this.toolbar.arranged();
    this.toolbar.say();
    closePopover();
    this.size();
    this.paint();
  }

  tryArrange(change) {
    return this.arrange(change).catch((error) => this.toolbar.refuse(error));
  }

  /** Sort by a column; without a direction up, then down, then not. `null`: as the query has it. */
  sortBy(number, descending) {
    const [before] = this.arrangement.sort;
    if (number !== null && descending === undefined) {
      descending = before?.[0] === number;
      if (descending && before[1]) number = null;
    }
    return this.tryArrange({ sort: number === null ? [] : [[number, descending]] });
  }

  searchFor(text) { return this.tryArrange({ search: text }); }
  groupBy(number) { return this.tryArrange({ group: number }); }
  addCondition(condition) { return this.arrange({ conditions: [...this.arrangement.conditions, condition] }); }
  dropCondition(place) { return this.tryArrange({ conditions: this.arrangement.conditions.filter((_, i) => i !== place) }); }

  hide(number) { this.setHidden(new Set([...this.hidden, number])); closePopover(); }
  show(number) { this.setHidden(new Set([...this.hidden].filter((n) => n !== number))); }
  showAll() { this.setHidden(new Set()); }

  async hideEmpty() {
    const { empty } = await this.ask("empty");
    this.setHidden(new Set([...this.hidden, ...empty]));
  }

  setHidden(hidden) {
    if (hidden.size >= this.columns.length) return;
    this.layout.hidden = hidden;
    this.layout.lay();
    this.active.column = Math.min(this.active.column, this.layout.shown.length - 1);
    this.windows.clear();
    this.size();
    this.paint();
  }

  // ---- details --------------------------------------------------------------------------------

  /** Open the details of a line, or close them; a group opens its rows. */
  async toggle(number) {
    const line = this.windows.line(number);
    if (!line) return;
    if (line.group >= 0) {
      this.shut();
      const made = await this.ask("toggle", { group: line.group });
      this.windows.clear();
      this.lines.count = made.height;
      this.size();
      this.paint();
      return;
    }
    if (this.details.has(number)) this.shut(number);
    else {
      try {
        const { values } = await this.ask("row", { row: line.row });
        this.openDetails(number, line.row, values);
      } catch (error) {
        this.toolbar.refuse(error);
      }
    }
    this.size();
    this.paint();
  }

  openDetails(number, row, values) {
    const act = this.about.kql ? (action, column, path) => this.write(row, column, action, path) : null;
    const inside = details(values, act, (text) => this.copyText(text));
    const box = h("div", { class: "wb-details", role: "row", "aria-label": `Row ${number + 1} in full` }, h("div", { role: "gridcell", "aria-colindex": 1 }, inside));
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.shut(number);
      this.size();
      this.paint();
      this.view.focus({ preventScroll: true });
    });
    this.details.set(number, box);
    this.body.append(box);
    const fit = () => {
      box.style.width = `${Math.min(this.view.clientWidth, this.layout.width)}px`;
      const height = Math.min(320, inside.offsetHeight + 9);
      if (this.details.get(number) !== box || this.lines.opened.get(number) === height) return;
      this.lines.opened.set(number, height);
      this.size();
      this.soon();
    };
    box.fits = new ResizeObserver(fit);
    box.fits.observe(inside);
    this.size();
    fit();
  }

  shut(number = null) {
    for (const [line, box] of [...this.details]) {
      if (number !== null && line !== number) continue;
      box.fits.disconnect();
      box.remove();
      this.details.delete(line);
      this.lines.opened.delete(line);
    }
  }

  // ---- what leaves the grid ---------------------------------------------------------------------

  /** Put a clause into the cell: a value as a filter, all but it, a path as a column. */
  async write(row, column, action, path = []) {
    try {
      const made = await this.ask("write", { row, column, action, path, source: cellText(this.root) });
      const done = made.cell !== "" && (await putCellText(this.root, made.cell));
      this.toolbar.say(done ? "put into the cell: " : "query: ", h("code", {}, made.clause), done ? " · run it with Shift+Enter " : " ",
        button("Copy query", () => this.copyText(made.query)));
    } catch (error) {
      this.toolbar.refuse(error);
    }
  }

  /** Run the cell again, for another time where that was chosen; what comes stands in this grid's place. */
  async again(timespan, chosen) {
    const began = Date.now();
    const tick = () => this.toolbar.say(`searching · ${Math.round((Date.now() - began) / 1000)} s`);
    const ticking = setInterval(tick, 1000);
    tick();
    try {
      // When the answer comes, this grid has left the page, and its way to the cell with it.
      const cell = cellOf(this.root);
      const made = await this.ask("again", { timespan, source: chosen && cell ? cellText(cell) : null });
      if (chosen && cell) await putCellText(cell, made.cell);
    } catch (error) {
      this.toolbar.refuse(error);
      this.toolbar.schedule();
    } finally {
      clearInterval(ticking);
    }
  }

  async copy(whole, header = false) {
    const { first, last, left, right } = this.chosen();
    const places = whole ? this.layout.shown : this.layout.shown.slice(left, right + 1);
    try {
      const { text } = await this.ask("copy", { start: first, stop: last + 1, columns: places, header });
      await this.copyText(text);
    } catch (error) {
      this.toolbar.refuse(error);
    }
  }

  async copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.toolbar.say("copied");
    } catch {
      this.toolbar.say("the browser did not allow to copy");
    }
  }

  /** The rows before and after one, in a grid below this one. */
  async context(row) {
    try {
      const about = await this.ask("context", { row, count: AROUND });
      this.below?.grid.close();
      this.below?.box.remove();
      const grid = new Grid(this.client, about.id, about, this);
      const close = button("Close", () => { grid.close(); box.remove(); this.below = null; this.view.focus(); });
      const box = h("div", { class: "wb-below", role: "region", "aria-label": "Rows around the chosen one" }, h("div", { class: "wb-row" }, h("strong", {}, "Rows around the chosen one"), close), grid.root);
      this.below = { grid, box };
      this.root.append(box);
      grid.shown();
      if (about.marked >= 0) grid.go(about.marked, 0);
      grid.view.focus({ preventScroll: true });
    } catch (error) {
      this.toolbar.refuse(error);
    }
  }
}
