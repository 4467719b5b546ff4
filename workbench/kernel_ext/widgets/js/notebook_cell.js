// The cell that an output belongs to, as the page has it: its text read, and put anew by a paste, which the
// editor takes like one of its user's (and undoes like one). Where there is no such editor there is no cell.

/** The cell around an element, or null. */
export function cellOf(element) {
  return element.closest(".jp-Cell");
}

function editorOf(element) {
  return cellOf(element)?.querySelector(".jp-InputArea .cm-content") ?? null;
}

/** The text of the cell, or null where it can't be seen in full. */
export function cellText(element) {
  const editor = editorOf(element);
  if (!editor || editor.querySelector(".cm-gap")) return null;
  return [...editor.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
}

/** Put a text in place of the cell's; false where there is no cell that can be written. */
export function putCellText(element, text) {
  const editor = editorOf(element);
  if (!editor || editor.getAttribute("contenteditable") === "false") return false;
  editor.focus({ preventScroll: true });
  const chosen = document.getSelection();
  chosen.selectAllChildren(editor);
  // The editor learns of the selection from an event that comes later; what follows must not overtake it.
  document.dispatchEvent(new Event("selectionchange"));
  const data = new DataTransfer();
  data.setData("text/plain", text);
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  return cellText(element) === text;
}
