// The cell that an output belongs to: its text read and written, by the plugin of JupyterLab and Notebook 7
// (`lab/src/outputs.ts`), which takes the event. Elsewhere nobody does, and there is no cell.

/** The cell around an element, or null. */
export function cellOf(element) {
  return element.closest(".jp-Cell");
}

/** The text of the cell, or null where it can't be known. */
export function cellText(element) {
  return wish(element, { want: "read" })?.text ?? null;
}

/** Put a text in place of the cell's; false where there is no cell that can be written. */
export async function putCellText(element, source) {
  return (await wish(element, { want: "write", source })?.done) ?? false;
}

function wish(element, detail) {
  const event = new CustomEvent("workbench:cell", { detail, bubbles: true, cancelable: true });
  return element.dispatchEvent(event) ? null : detail;
}
