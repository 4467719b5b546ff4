// One row in full: each value under its name, dynamic ones as a tree whose leaves can become clauses of the query.

import { button, h } from "./dom.js";

const MOST_CHILDREN = 200;

/** The details of a row. `act(action, column, path)` puts a clause into the cell; null where there is no KQL. */
export function details(values, act, copy) {
  return h("dl", { class: "wb-values" }, ...values.flatMap((value, column) => [
    h("dt", {}, value.name, h("span", { class: "wb-type" }, ` ${value.type}`)),
    h("dd", {}, shown(value, column, act, copy)),
  ]));
}

function shown(value, column, act, copy) {
  const actions = clauses(value, column, [], act, copy);
  if (value.json) {
    const tree = h("div", { class: "wb-tree", role: "tree", "aria-label": value.name }, ...children(JSON.parse(value.json), column, [], act));
    tree.addEventListener("keydown", moveInTree);
    const first = tree.querySelector("[role=treeitem]");
    if (first) first.tabIndex = 0;
    return h("div", { class: "wb-value" }, tree, actions);
  }
  const text = value.null ? h("span", { class: "wb-null", "aria-label": "null" }, "–") : h("span", { class: "wb-text" }, value.text);
  const exact = value.exact && value.exact !== value.text ? h("span", { class: "wb-type" }, `  ${value.exact}`) : null;
  const cut = value.cut ? h("span", { class: "wb-type" }, ` … ${value.cut.toLocaleString("en")} more characters`) : null;
  return h("div", { class: "wb-value" }, h("span", {}, text, exact, cut), actions);
}

function clauses(value, column, path, act, copy) {
  const made = h("span", { class: "wb-acts" });
  const { name } = value;
  if (act) {
    if (!value.json) {
      made.append(
        button("Filter", () => act("filter", column, path), { "aria-label": `Add ${name} as filter` }),
        button("Exclude", () => act("exclude", column, path), { "aria-label": `Exclude this ${name}` }),
      );
    }
    if (path.length) made.append(button("Add column", () => act("column", column, path), { "aria-label": `Add ${name} as column` }));
  }
  if (copy) made.append(button("Copy", () => copy(value.exact || value.text), { "aria-label": `Copy ${name}` }));
  return made;
}

function children(value, column, path, act) {
  const entries = Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value);
  const items = entries.slice(0, MOST_CHILDREN).map(([key, item]) => node(key, item, column, [...path, key], act));
  if (entries.length > MOST_CHILDREN) items.push(h("div", { class: "wb-type" }, `${(entries.length - MOST_CHILDREN).toLocaleString("en")} more`));
  return items;
}

function node(key, value, column, path, act) {
  const parted = value !== null && typeof value === "object";
  const name = h("span", { class: "wb-key" }, String(key));
  const actions = clauses({ name: path.join("."), json: parted }, column, path, act, null);
  if (!parted) {
    const text = value === null ? "null" : typeof value === "string" ? value : String(value);
    const kind = value === null ? "wb-null" : typeof value === "string" ? "wb-text" : "wb-number";
    return h("div", { role: "treeitem", class: "wb-leaf", tabindex: -1 }, name, ": ", h("span", { class: kind }, text), actions);
  }
  const size = Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`;
  const inside = h("div", { role: "group", hidden: path.length > 2 });
  if (path.length <= 2) inside.append(...children(value, column, path, act));
  const head = h("div", { class: "wb-branch" }, h("span", { class: "wb-turn", "aria-hidden": "true" }), name, " ", h("span", { class: "wb-type" }, size), actions);
  const item = h("div", { role: "treeitem", tabindex: -1, "aria-expanded": String(!inside.hidden) }, head, inside);
  const turn = (open) => {
    if (open && !inside.hasChildNodes()) inside.append(...children(value, column, path, act));
    inside.hidden = !open;
    item.setAttribute("aria-expanded", String(open));
  };
  head.addEventListener("click", (event) => { if (!event.target.closest("button")) turn(inside.hidden); });
  item.turn = turn;
  return item;
}

function moveInTree(event) {
  const item = event.target;
  if (item.getAttribute("role") !== "treeitem") return;
  const open = item.getAttribute("aria-expanded");
  const seen = [...event.currentTarget.querySelectorAll("[role=treeitem]")].filter((i) => i.offsetParent !== null);
  const go = (to) => { if (to) { item.tabIndex = -1; to.tabIndex = 0; to.focus(); } };
  const acts = {
    ArrowDown: () => go(seen[seen.indexOf(item) + 1]),
    ArrowUp: () => go(seen[seen.indexOf(item) - 1]),
    ArrowRight: () => (open === "false" ? item.turn(true) : go(item.querySelector("[role=treeitem]"))),
    ArrowLeft: () => (open === "true" ? item.turn(false) : go(item.parentElement.closest("[role=treeitem]"))),
    Enter: () => open && item.turn(open === "false"),
  };
  if (!acts[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  acts[event.key]();
}
