// One panel that hangs at a button or a cell; Escape, a press elsewhere and scrolling close it, focus goes back. It
// belongs to the page and not to the grid, so that no cell below covers it.

import { h } from "./dom.js";

let open = null;

/** Close what is open. `back`: give the focus to what had it. */
export function closePopover(back = true) {
  if (!open) return;
  const { panel, before, release } = open;
  open = null;
  release();
  panel.remove();
  if (back && before && before.isConnected) before.focus({ preventScroll: true });
}

/** Show `content` below the rectangle `at`, and put the focus into it. */
export function openPopover(at, label, content) {
  closePopover(false);
  const before = document.activeElement;
  const panel = h("div", {
    class: "wb-grid wb-pop", role: "dialog", "aria-label": label, "data-lm-suppress-shortcuts": "true",
  }, content);
  document.body.append(panel);
  place(panel, at);
  const outside = (event) => {
    if (!panel.contains(event.target)) closePopover(false);
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      closePopover();
    }
  };
  panel.addEventListener("keydown", keys);
  const kinds = ["pointerdown", "wheel"];
  for (const kind of kinds) document.addEventListener(kind, outside, true);
  open = { panel, before, release: () => kinds.forEach((kind) => document.removeEventListener(kind, outside, true)) };
  (panel.querySelector("[autofocus]") ?? panel.querySelector("button, input, select"))?.focus({ preventScroll: true });
  return panel;
}

/** Inside of the window; above the rectangle where there is more room for it. */
function place(panel, at) {
  const left = Math.max(0, Math.min(at.left, window.innerWidth - panel.offsetWidth - 8));
  const below = window.innerHeight - at.bottom;
  panel.style.left = `${left}px`;
  panel.style.top = below < panel.offsetHeight && at.top > below ? "" : `${at.bottom}px`;
  if (!panel.style.top) panel.style.bottom = `${window.innerHeight - at.top}px`;
  panel.style.maxHeight = `${Math.min(420, Math.max(below, at.top) - 8)}px`;
}

/** A list of actions: arrows move in it. */
export function menu(items) {
  const list = h("div", { class: "wb-menu", role: "menu" });
  for (const [text, press, more = {}] of items) {
    const item = h("button", { type: "button", role: "menuitem", ...more, onclick: () => { closePopover(); press(); } }, text);
    list.append(item);
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...list.querySelectorAll("button:not([disabled])")];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
  });
  return list;
}
