// Draws the lines that can be seen: heads, cells, heads of groups, details. Elements are made anew each time;
// there are never more than those of a window.

import { button, h } from "./dom.js";

const LEVELS = {
  critical: ["critical", "crit", "error", "err", "fatal", "emerg", "emergency", "alert", "high", "failure"],
  warning: ["warning", "warn", "medium"],
  information: ["information", "informational", "info", "notice", "low"],
  verbose: ["verbose", "debug", "trace"],
  healthy: ["healthy", "ok", "success"],
};
const LEVEL_OF = new Map(Object.entries(LEVELS).flatMap(([level, words]) => words.map((word) => [word, level])));

/** Draw the lines from `first` to `last`. */
export function paint(grid, first, last) {
  const { layout, view, lines, body } = grid;
  const [left, right] = layout.between(view.scrollLeft - 200, view.scrollLeft + view.clientWidth + 200);
  paintHead(grid, left, right);
  // The list's place at the top of the window stands where the browser has scrolled to.
  const shift = view.scrollTop - lines.offset;
  const drawn = [];
  for (let number = first; number <= last; number++) {
    const top = lines.top(number) + shift;
    drawn.push(lineOf(grid, number, top, left, right));
    const box = grid.details.get(number);
    if (box) {
      box.style.top = `${top + lines.height}px`;
      box.style.height = `${(lines.opened.get(number) ?? 0) - 1}px`;
      box.style.left = `${view.scrollLeft}px`;
    }
  }
  if (!grid.height) drawn.push(h("div", { class: "wb-none" }, grid.about.rows ? "no row fulfils this" : "no rows"));
  for (const old of [...body.children]) if (!old.classList.contains("wb-details")) old.remove();
  for (const [number, box] of grid.details) box.hidden = number < first || number > last;
  body.prepend(...drawn);
  const active = document.getElementById(grid.cellId);
  if (active) view.setAttribute("aria-activedescendant", grid.cellId);
  else view.removeAttribute("aria-activedescendant");
}

function paintHead(grid, left, right) {
  const { layout, columns, arrangement } = grid;
  const cells = [];
  for (let place = left; place <= right; place++) {
    const number = layout.shown[place];
    if (number === undefined) break;
    const column = columns[number];
    const [sorted] = arrangement.sort.filter(([c]) => c === number);
    const active = grid.active.line === -1 && grid.active.column === place;
    const label = h("span", { class: "wb-label" }, column.name, sorted ? h("span", { "aria-hidden": "true" }, sorted[1] ? " ↓" : " ↑") : null);
    cells.push(h("div", {
      class: `wb-th${column.right ? " wb-n" : ""}${active ? " wb-active" : ""}`, id: active ? grid.cellId : null,
      role: "columnheader", "aria-colindex": place + 1, "data-line": -1, "data-column": place,
      "aria-sort": sorted ? (sorted[1] ? "descending" : "ascending") : "none",
      style: `left:${layout.lefts[place]}px;width:${layout.widths[number]}px`, title: column.name,
      onclick: (event) => { if (!event.target.closest("button")) grid.sortBy(number); },
    }, label, h("span", { class: "wb-type" }, column.type),
    button("⋯", () => grid.openColumn(place), { class: "wb-more", tabindex: -1, "aria-label": `${column.name}: sort, filter, statistics`, "aria-haspopup": "dialog" })));
  }
  grid.head.style.width = `${layout.width}px`;
  grid.head.replaceChildren(...cells);
}

function lineOf(grid, number, top, left, right) {
  const line = grid.windows.line(number);
  const row = h("div", { class: "wb-line", role: "row", "aria-rowindex": number + 2, style: `top:${top}px;width:${grid.layout.width}px` });
  if (!line) {
    row.setAttribute("aria-busy", "true");
    return row;
  }
  if (line.group >= 0) return groupOf(grid, row, line, number);
  const open = grid.details.has(number);
  row.setAttribute("aria-expanded", String(open));
  row.append(button(open ? "▾" : "▸", () => grid.toggle(number), { class: "wb-open", tabindex: -1, "aria-label": open ? "Close the row" : "Open the row", "aria-expanded": String(open) }));
  const chosen = grid.anchor ? grid.chosen() : null;
  for (let place = left; place <= right; place++) {
    const column = grid.layout.shown[place];
    if (column !== undefined) row.append(cellOf(grid, line, number, place, column, chosen));
  }
  return row;
}

function cellOf(grid, line, number, place, column, chosen) {
  const { right, code, level, type } = grid.columns[column];
  const text = line.text(column);
  const active = grid.active.line === number && grid.active.column === place;
  const inside = chosen && number >= chosen.first && number <= chosen.last && place >= chosen.left && place <= chosen.right;
  const classes = ["wb-cell"];
  if (right) classes.push("wb-n");
  if (type === "datetime") classes.push("wb-t");
  if (code) classes.push("wb-c");
  if (text === null) classes.push("wb-null");
  if (active) classes.push("wb-active");
  if (inside) classes.push("wb-chosen");
  const severity = level && text ? LEVEL_OF.get(text.toLowerCase()) : null;
  const mark = severity ? h("span", { class: `wb-level wb-${severity}`, "aria-hidden": "true" }) : null;
  return h("div", {
    class: classes.join(" "), role: "gridcell", "aria-colindex": place + 1, id: active ? grid.cellId : null,
    "aria-selected": active || inside ? "true" : null, "data-line": number, "data-column": place,
    title: text && text.length > 30 ? text : null, "aria-label": text === null ? "null" : null,
    style: `left:${grid.layout.lefts[place]}px;width:${grid.layout.widths[column]}px`,
  }, mark, text === null ? "–" : text ?? "");
}

function groupOf(grid, row, line, number) {
  const column = grid.arrangement.group;
  const text = line.text(column);
  const active = grid.active.line === number;
  row.classList.add("wb-group");
  row.setAttribute("aria-expanded", String(line.opened));
  row.append(h("div", {
    class: `wb-cell wb-grouphead${active ? " wb-active" : ""}`, role: "gridcell", id: active ? grid.cellId : null,
    "aria-colindex": 1, "data-line": number, "data-column": 0, style: `left:0;width:${grid.layout.width}px`,
  }, h("span", { class: "wb-turn", "aria-hidden": "true" }),
  h("span", { class: text ? "" : "wb-null" }, text === null ? "null" : text === "" ? "empty" : text ?? ""),
  h("span", { class: "wb-type" }, ` ${line.count.toLocaleString("en")} ${line.count === 1 ? "row" : "rows"}`)));
  return row;
}
