// The line below the rows: what they are, then what can be done with them.

import { button, h } from "./dom.js";
import { closePopover, menu, openPopover } from "./popover.js";
import { EVERY, rangeForm, rangeWords } from "./time_range.js";

const FORMS = [["parquet", "Parquet"], ["csv", "CSV"], ["xlsx", "Excel (XLSX)"]];
const every = new Map(); // display of a grid → seconds between two runs; a run puts a new grid there

export class Toolbar {
  constructor(grid) {
    this.grid = grid;
    this.facts = h("span", { class: "wb-facts-line", role: "status" });
    this.note = h("span", { class: "wb-note", role: "status" });
    this.chips = h("span", { class: "wb-chips" });
    this.search = h("input", { type: "search", placeholder: "Search rows", "aria-label": "Search rows", spellcheck: "false" });
    this.search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => grid.searchFor(this.search.value), 250);
    });
    const hang = (label, make) => (event) => openPopover(event.currentTarget.getBoundingClientRect(), label, make());
    this.range = grid.about.range.again ? this.rangeButton(hang) : null;
    this.root = h("div", { class: "wb-foot wb-tools" }, this.facts, this.chips, this.note,
      h("span", { class: "wb-buttons" }, this.search,
        button("Columns", hang("Columns", () => this.columnList()), { "aria-haspopup": "dialog" }),
        button("Export", hang("Export all rows", () => this.exportMenu()), { "aria-haspopup": "menu" }),
        this.range));
    this.schedule();
  }

  rangeButton(hang) {
    const { timespan, set } = this.grid.about.range;
    const text = set ? "Set in query" : rangeWords(timespan);
    const make = () => h("div", {},
      set ? h("p", { class: "wb-help" }, "The query says by itself of which time its records are.") : rangeForm(timespan, (chosen) => { closePopover(); this.grid.again(chosen, true); }),
      h("label", {}, "Run again every ", this.everyChoice()));
    return button(text, hang("Time range", make), { "aria-haspopup": "dialog", "aria-label": `Time range: ${text}`, class: set ? "wb-set" : "" });
  }

  everyChoice() {
    const choice = h("select", { "aria-label": "Run again every" }, ...EVERY.map(([seconds, text]) => h("option", { value: seconds }, text)));
    choice.value = String(every.get(this.grid.place) ?? 0);
    choice.addEventListener("change", () => {
      every.set(this.grid.place, Number(choice.value));
      closePopover();
      this.schedule();
    });
    return choice;
  }

  /** Run the cell again after a while, and after it while the page can be seen. */
  schedule() {
    clearTimeout(this.timer);
    const seconds = every.get(this.grid.place) ?? 0;
    if (!seconds) return;
    this.timer = setTimeout(() => {
      if (document.hidden || !this.grid.root.isConnected) this.schedule();
      else this.grid.again(this.grid.about.range.timespan, false);
    }, seconds * 1000);
  }

  columnList() {
    const { grid } = this;
    const boxes = grid.columns.map((column, number) => {
      const box = h("input", { type: "checkbox" });
      box.checked = !grid.hidden.has(number);
      box.addEventListener("change", () => (box.checked ? grid.show(number) : grid.hide(number)));
      return h("label", { class: "wb-box" }, box, column.name);
    });
    return h("div", { class: "wb-list" },
      h("div", { class: "wb-row" },
        button("Hide empty ones", () => grid.hideEmpty().then(closePopover)),
        button("Show all", () => { grid.showAll(); closePopover(); })),
      ...boxes);
  }

  exportMenu() {
    return menu(FORMS.map(([form, text]) => [`${text}, ${this.grid.rows.toLocaleString("en")} rows`, () => this.export(form)]));
  }

  async export(form) {
    this.say("writing …");
    try {
      const server = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
      const made = await this.grid.ask("export", { form, root: server.serverRoot ?? "" });
      const said = `${made.rows.toLocaleString("en")} rows in `;
      const link = made.url && server.baseUrl ? h("a", { href: server.baseUrl + made.url, download: made.path }, made.path) : h("code", {}, made.path);
      this.say(said, link, ` (${bytes(made.bytes)})`);
    } catch (error) {
      this.refuse(error);
    }
  }

  /** What is shown of how many rows, how long it took. */
  tell(first, last) {
    const { grid } = this;
    const some = grid.rows !== grid.about.rows;
    const shown = grid.rows ? `rows ${(first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ` : "no rows of ";
    const of = some ? `${grid.rows ? `${grid.rows.toLocaleString("en")}, ` : ""}${grid.about.in_all} in all` : grid.about.in_all;
    const lines = grid.arrangement.group === null ? shown : `${grid.height.toLocaleString("en")} lines, rows `;
    const text = [grid.about.rows ? lines + of : "no rows"];
    this.facts.replaceChildren(...[...text, ...grid.about.footer].flatMap((part, i) => {
      const warns = /^(truncated|partial|cached|kept)/.test(part);
      return [i ? " · " : "", warns ? h("strong", {}, part) : part];
    }));
  }

  /** Chips of what is chosen, each with its way back. */
  arranged() {
    const { grid } = this;
    const chips = grid.arrangement.conditions.map((condition, i) => {
      const { name } = grid.columns[condition.column];
      const text = condition.text === null ? "null" : condition.text === "" ? "empty" : condition.text;
      const words = `${name} ${condition.sign} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
      return button(`${words} ×`, () => grid.dropCondition(i), { class: "wb-chip", "aria-label": `Remove ${words}` });
    });
    if (grid.arrangement.group !== null) {
      const words = `by ${grid.columns[grid.arrangement.group].name}`;
      chips.push(button(`${words} ×`, () => grid.groupBy(null), { class: "wb-chip", "aria-label": `Do not group ${words}` }));
    }
    this.chips.replaceChildren(...chips);
  }

  say(...parts) {
    this.note.replaceChildren(...parts);
  }

  refuse(error) {
    this.say(h("strong", {}, error.message), error.hint ? `; ${error.hint}` : "");
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.typing);
  }
}

function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit++; }
  return `${unit && count < 100 ? count.toPrecision(3) : Math.round(count)} ${units[unit]}`;
}
