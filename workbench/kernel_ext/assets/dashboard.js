// Tiles of a dashboard: puts their HTML in place, reads values under a pointer, opens the search behind a click.
// As a widget it talks to its kernel; in an exported file `wire` gets the searches from the page.

const TIME = new Intl.DateTimeFormat("sv-SE", { timeZone: "UTC", dateStyle: "short", timeStyle: "medium" });

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Show all values at the x nearest to the pointer. */
function point(plot, event) {
  const told = JSON.parse(plot.dataset.points);
  if (!told.x.length) return;
  const box = plot.getBoundingClientRect();
  const low = Number(plot.dataset.low), high = Number(plot.dataset.high);
  const at = low + ((event.clientX - box.left) / box.width) * (high - low);
  let near = 0;
  told.x.forEach((x, i) => { if (Math.abs(x - at) < Math.abs(told.x[near] - at)) near = i; });
  leave(plot);
  const place = ((told.x[near] - low) / (high - low)) * box.width;
  const line = element("span", "wb-at");
  line.style.left = `${place}px`;
  const tip = element("div", "wb-tip");
  tip.append(element("div", "", `${TIME.format(told.x[near])} UTC`));
  told.names.forEach((name, i) => {
    const value = told.y[i][near];
    if (value === null) return;
    const row = element("div");
    const key = element("span", "wb-key");
    key.style.background = told.colours[i];
    row.append(key, `${name} ${value.toLocaleString("en-US", { maximumSignificantDigits: 4 })}`);
    tip.append(row);
  });
  if (place < box.width / 2) tip.style.left = `${place + 8}px`;
  else tip.style.right = `${box.width - place + 8}px`;
  plot.append(line, tip);
}

function leave(plot) {
  plot.querySelectorAll(".wb-at, .wb-tip").forEach(found => found.remove());
}

/** A dialog with the text of the search, for places where no cell can be made. */
export function showSearch(text) {
  const dialog = element("dialog", "wb-dialog");
  dialog.setAttribute("aria-label", "The search behind this tile");
  const form = element("form");
  form.method = "dialog";
  const copy = element("button", "", "Copy");
  copy.type = "button";
  copy.onclick = async () => {
    await navigator.clipboard?.writeText(text);
    copy.textContent = "Copied";
  };
  form.append(copy, element("button", "", "Close"));
  dialog.append(element("strong", "", "The search behind this tile"), element("pre", "", text), form);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

/** Listen for clicks and pointers in `root`; `ask(tile, row)` is called with numbers, row null for the whole tile. */
export function wire(root, ask) {
  root.addEventListener("click", event => {
    const clicked = event.target.closest("[data-drill]");
    const cell = clicked?.closest("[data-tile]");
    if (cell) ask(Number(cell.dataset.tile), clicked.dataset.drill === "" ? null : Number(clicked.dataset.drill));
  });
  root.addEventListener("pointermove", event => {
    const plot = event.target.closest(".wb-plot[data-points]");
    if (plot) point(plot, event);
  });
  root.addEventListener("pointerout", event => {
    const plot = event.target.closest(".wb-plot[data-points]");
    if (plot && !plot.contains(event.relatedTarget)) leave(plot);
  });
}

/** Have the notebook put a cell below the one that holds `root` and run it; false where nobody takes that. */
async function runCell(root, source) {
  const detail = { want: "open below", source };
  // Taken by the plugin of JupyterLab and Notebook 7, `lab/src/outputs.ts`.
  const event = new CustomEvent("workbench:cell", { detail, bubbles: true, cancelable: true });
  return root.dispatchEvent(event) ? false : (await detail.done) ?? false;
}

function render({ model, el }) {
  const place = element("div", "wb-tiles-place");
  const root = element("div", "wb-tiles");
  place.append(root);
  el.append(place);
  const shown = [];
  let waiting = false;

  const put = (i, html) => {
    if (shown[i] === html) return;
    shown[i] = html;
    root.children[i].innerHTML = html; // made and escaped by the kernel side, `tiles.py`
  };
  const draw = () => {
    const tiles = model.get("tiles"), widths = model.get("widths");
    if (root.children.length !== tiles.length) {
      shown.length = 0;
      root.replaceChildren(...tiles.map((_, i) => {
        const cell = element("div", "wb-cell");
        cell.style.setProperty("--w", widths[i]);
        cell.dataset.tile = i;
        return cell;
      }));
    }
    tiles.forEach((html, i) => put(i, html));
  };
  const heard = message => {
    if (message.html !== undefined) put(message.tile, message.html);
    // The same dashboard can be shown twice: the view that was clicked takes the answer.
    if (message.cell === undefined || !waiting) return;
    waiting = false;
    runCell(root, message.cell).then(done => { if (!done) showSearch(message.cell); });
  };
  draw();
  wire(root, (tile, row) => {
    waiting = true;
    model.send({ drill: tile, row });
  });
  model.on("change:tiles", draw);
  model.on("msg:custom", heard);
  model.send({ open: location.search });
  const seconds = model.get("refresh");
  const timer = seconds > 0 ? setInterval(() => { if (!document.hidden) model.send({ refresh: true }); }, seconds * 1000) : 0;
  return () => {
    clearInterval(timer);
    model.off("change:tiles", draw);
    model.off("msg:custom", heard);
  };
}

export default { render };
