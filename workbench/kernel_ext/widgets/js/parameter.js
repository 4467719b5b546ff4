// A parameter as a field: its label above, help below, what is wrong beside it.

import { button, h, newId } from "./dom.js";
import { closePopover, openPopover } from "./popover.js";
import { rangeForm, rangeWords } from "./time_range.js";

const FIELDS = { choice, choices, text, time };

export default {
  render({ model, el }) {
    const id = newId("parameter");
    const field = FIELDS[model.get("kind")](model, id);
    const wrong = h("div", { class: "wb-wrong", role: "alert" });
    const told = () => { wrong.textContent = model.get("wrong"); };
    model.on("change:wrong", told);
    told();
    const help = model.get("help");
    const root = h("div", { class: "wb-grid wb-parameter", "data-lm-suppress-shortcuts": "true" },
      h("style", {}, model.get("style")),
      h("label", { for: id }, model.get("label")), field, wrong,
      help ? h("div", { class: "wb-help", id: `${id}-help` }, help) : null);
    if (help) root.querySelector(`#${id}`)?.setAttribute("aria-describedby", `${id}-help`);
    el.append(root);
    return () => model.off("change:wrong", told);
  },
};

function put(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

function choice(model, id) {
  const field = h("select", { id }, ...model.get("choices").map((value, i) => h("option", { value: i }, value)));
  const show = () => { field.value = String(model.get("chosen")[0] ?? ""); };
  field.addEventListener("change", () => put(model, "chosen", [Number(field.value)]));
  model.on("change:chosen", show);
  show();
  return field;
}

function choices(model, id) {
  const field = h("select", { id, multiple: true, size: Math.min(6, model.get("choices").length) },
    ...model.get("choices").map((value, i) => h("option", { value: i }, value)));
  const show = () => {
    const chosen = new Set(model.get("chosen"));
    [...field.options].forEach((option, i) => { option.selected = chosen.has(i); });
  };
  field.addEventListener("change", () => put(model, "chosen", [...field.selectedOptions].map((o) => Number(o.value))));
  model.on("change:chosen", show);
  show();
  return field;
}

function text(model, id) {
  const field = h("input", { id, type: "text", spellcheck: "false", autocomplete: "off" });
  const show = () => { field.value = model.get("text"); };
  field.addEventListener("change", () => put(model, "text", field.value));
  model.on("change:text", show);
  show();
  return field;
}

function time(model, id) {
  const field = button("", () => {
    const chosen = (timespan) => { closePopover(); put(model, "text", timespan); };
    openPopover(field.getBoundingClientRect(), model.get("label"), rangeForm(model.get("text"), chosen));
  }, { id, "aria-haspopup": "dialog" });
  const show = () => { field.textContent = rangeWords(model.get("text")); };
  model.on("change:text", show);
  show();
  return field;
}
