// Of which time a query is: the ranges to choose from, and one's own. Times are UTC.

import { button, h, newId } from "./dom.js";

export const RANGES = [
  ["PT30M", "Last 30 minutes"], ["PT1H", "Last hour"], ["PT4H", "Last 4 hours"], ["PT12H", "Last 12 hours"],
  ["P1D", "Last 24 hours"], ["P2D", "Last 48 hours"], ["P3D", "Last 3 days"], ["P7D", "Last 7 days"],
  ["P30D", "Last 30 days"], ["", "All time"],
];
export const EVERY = [[0, "never"], [10, "10 s"], [60, "1 min"], [300, "5 min"]];

/** A range in words. */
export function rangeWords(timespan) {
  const known = RANGES.find(([value]) => value === timespan);
  if (known) return known[1];
  return timespan.includes("/") ? timespan.split("/").map((t) => t.replace("T", " ").replace(/(:00)?(\.0+)?Z$/, "")).join(" to ") : timespan;
}

/** Presets and a range of one's own; `chosen(timespan)` hears of either. */
export function rangeForm(timespan, chosen) {
  const presets = RANGES.map(([value, text]) =>
    button(text, () => chosen(value), { "aria-pressed": String(value === timespan), autofocus: value === timespan }));
  const from = newId("from"), to = newId("to");
  const [begins, ends] = timespan.includes("/") ? timespan.split("/") : ["", ""];
  const start = h("input", { id: from, type: "datetime-local", step: "1", value: local(begins) });
  const end = h("input", { id: to, type: "datetime-local", step: "1", value: local(ends) });
  const wrong = h("div", { class: "wb-wrong", role: "alert" });
  const submit = (event) => {
    event.preventDefault();
    if (!start.value || !end.value || start.value >= end.value) wrong.textContent = "the start has to lie before the end";
    else chosen(`${utc(start.value)}/${utc(end.value)}`);
  };
  return h("div", { class: "wb-range" },
    h("div", { class: "wb-menu" }, ...presets),
    h("form", { onsubmit: submit },
      h("label", { for: from }, "From (UTC)"), start,
      h("label", { for: to }, "To (UTC)"), end,
      wrong, h("div", { class: "wb-row wb-end" }, h("button", { type: "submit" }, "Apply"))));
}

const local = (text) => text.replace(/(\.\d+)?Z$/, "").slice(0, 19);
const utc = (text) => `${text.length === 16 ? `${text}:00` : text}Z`;
