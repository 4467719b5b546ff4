// What hangs at the head of a column: order, group, a condition, and what the column holds.

import { button, h, newId } from "./dom.js";

const SIGNS = {
  string: [["contains", "contains"], ["==", "is"], ["!=", "is not"]],
  bool: [["==", "is"], ["!=", "is not"]],
  other: [["==", "is"], ["!=", "is not"], [">=", "at least"], ["<=", "at most"]],
};
const TEXTS = ["string", "dynamic", "guid"];

/** The panel of a column. `grid` is told what was chosen. */
export function columnPanel(grid, number) {
  const column = grid.columns[number];
  const order = h("div", { class: "wb-row" },
    button("Sort ascending", () => grid.sortBy(number, false), { autofocus: true }),
    button("Sort descending", () => grid.sortBy(number, true)),
    grid.arrangement.sort.length ? button("Do not sort", () => grid.sortBy(null)) : null,
  );
  const more = h("div", { class: "wb-row" },
    grid.arrangement.group === number
      ? button("Do not group", () => grid.groupBy(null))
      : button("Group by this", () => grid.groupBy(number)),
    button("Hide column", () => grid.hide(number)),
  );
  const about = h("div", { class: "wb-about", role: "status" }, "counting …");
  grid.ask("statistics", { column: number }).then(
    (found) => about.replaceChildren(...counted(grid, number, found)),
    (error) => about.replaceChildren(error.message),
  );
  return h("div", {}, h("h3", {}, column.name, h("span", { class: "wb-type" }, ` ${column.type}`)), order, more, conditionForm(grid, number), about);
}

function conditionForm(grid, number) {
  const { type, name } = grid.columns[number];
  const signs = SIGNS[TEXTS.includes(type) ? "string" : type] ?? SIGNS.other;
  const field = newId("field"), wrong = h("div", { class: "wb-wrong", role: "alert" });
  const sign = h("select", { "aria-label": "comparison" }, ...signs.map(([value, text]) => h("option", { value }, text)));
  const text = h("input", { id: field, type: "text", spellcheck: "false", autocomplete: "off" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await grid.addCondition({ column: number, sign: sign.value, text: text.value });
    } catch (error) {
      wrong.textContent = [error.message, error.hint].filter(Boolean).join("; ");
    }
  };
  return h("form", { onsubmit: submit },
    h("label", { for: field }, `Only rows whose ${name}`),
    h("div", { class: "wb-row" }, sign, text, h("button", { type: "submit" }, "Apply")),
    wrong,
  );
}

function counted(grid, number, found) {
  const facts = h("dl", { class: "wb-facts" }, ...found.summary.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  const parts = [facts];
  if (found.bins.length) parts.push(histogram(found));
  const top = found.top.map((value) => {
    const label = value.null ? "null" : value.text === "" ? "empty" : value.text;
    const condition = { column: number, sign: "==", text: value.typed };
    return h("button", { type: "button", class: "wb-top", title: label, onclick: () => grid.addCondition(condition) },
      h("span", { class: value.null || value.text === "" ? "wb-name wb-null" : "wb-name" }, label),
      h("span", { class: "wb-bar", "aria-hidden": "true" }, h("span", { style: `width:${Math.max(2, value.share * 100)}%` })),
      h("span", { class: "wb-count" }, value.count));
  });
  if (found.once) parts.push(h("h4", {}, "Every value stands there once"));
  else parts.push(h("h4", {}, "Most frequent"), h("div", { class: "wb-tops" }, ...top));
  return parts;
}

function histogram({ bins, from, to }) {
  const most = Math.max(...bins);
  const bars = bins.map((count) => h("span", { style: `height:${count ? Math.max(4, (count / most) * 100) : 0}%`, title: count.toLocaleString("en") }));
  return h("figure", { class: "wb-spread", "aria-label": `spread from ${from} to ${to}` },
    h("div", { class: "wb-bins" }, ...bars), h("figcaption", {}, h("span", {}, from), h("span", {}, to)));
}
