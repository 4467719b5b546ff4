// Keys in the grid, and the actions on a cell. Arrows move, Enter opens, Escape closes, Shift reaches further.

import { h } from "./dom.js";
import { closePopover, menu } from "./popover.js";
import { ROW } from "./scroll.js";

export function keyPressed(grid, event) {
  if (event.target !== grid.view) return;
  const { line, column } = grid.active;
  const page = Math.max(1, Math.floor(grid.roomForLines() / ROW) - 1);
  const last = grid.height - 1, more = event.shiftKey, control = event.ctrlKey || event.metaKey;
  const moves = {
    ArrowDown: () => grid.go(line + 1, column, more),
    ArrowUp: () => grid.go(line - 1, column, more),
    ArrowRight: () => grid.go(line, column + 1, more),
    ArrowLeft: () => grid.go(line, column - 1, more),
    PageDown: () => grid.go(line + page, column, more),
    PageUp: () => grid.go(Math.max(0, line - page), column, more),
    Home: () => (control ? grid.go(0, 0, more) : grid.go(line, 0, more)),
    End: () => (control ? grid.go(last, Infinity, more) : grid.go(line, Infinity, more)),
    Enter: () => (line < 0 ? grid.openColumn(column) : grid.toggle(line)),
    " ": () => (line < 0 ? grid.sortBy(grid.layout.shown[column]) : grid.toggle(line)),
    Escape: () => escape(grid),
    ContextMenu: () => grid.openMenu(grid.activeBox()),
    F10: () => more && grid.openMenu(grid.activeBox()),
    c: () => control && grid.copy(false),
  };
  const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!move || (event.key.toLowerCase() === "c" && !control)) return;
  event.preventDefault();
  event.stopPropagation();
  move();
}

/** One thing at a time: what hangs open, the choice, the details, then the focus leaves. */
function escape(grid) {
  closePopover();
  if (grid.anchor) grid.go(grid.active.line, grid.active.column);
  else if (grid.details.size) {
    grid.shut();
    grid.size();
    grid.paint();
  } else grid.view.blur();
}

/** What can be done with the active cell and its row. */
export function rowMenu(grid, line) {
  const number = grid.layout.shown[grid.active.column];
  const { name } = grid.columns[number];
  const kql = grid.about.kql;
  const why = kql ? {} : { disabled: true, title: "only for a KQL query" };
  const items = [
    ["Add as filter", () => grid.write(line.row, number, "filter"), why],
    ["Exclude", () => grid.write(line.row, number, "exclude"), why],
    [`Filter these rows by ${name}`, () => filterHere(grid, line, number)],
    ["Copy cell", () => grid.copy(false)],
    ["Copy row", () => grid.copy(true)],
    ["Open row", () => grid.toggle(grid.active.line)],
  ];
  if (grid.anchor) items.splice(3, 0, ["Copy selection with names", () => grid.copy(false, true)]);
  const time = grid.about.context ? {} : { disabled: true, title: "needs a column TimeGenerated" };
  if (!grid.parent) items.push(["Rows around this one", () => grid.context(line.row), time]);
  return h("div", {}, menu(items));
}

async function filterHere(grid, line, column) {
  try {
    const { typed } = await grid.ask("value", { row: line.row, column });
    await grid.addCondition({ column, sign: "==", text: typed });
  } catch (error) {
    grid.toolbar.refuse(error);
  }
}
