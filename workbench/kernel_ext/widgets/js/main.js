// Grids in the places of the tables that a kernel has shown. The HTML of an output stays in the notebook; where
// a live kernel knows the result, a grid covers it, and when the kernel has gone the table is there again.

import { Client } from "./client.js";
import { h } from "./dom.js";
import { Grid } from "./grid.js";

const LOST_FOR_GOOD = 60_000;
const PLACE = ".wb-result[data-wb-result]:not([data-wb-live])";

/** Look for tables of this kernel's results, now and whenever the page changes. */
function watch(client) {
  const grids = new Map();
  const strange = new Set(); // ids that this kernel does not know
  let wanted = false, asking = false;

  const look = async () => {
    wanted = false;
    dropLost();
    const places = [...document.querySelectorAll(PLACE)].filter((e) => !strange.has(e.dataset.wbResult) && !e.closest("details:not([open])"));
    const ids = [...new Set(places.map((e) => e.dataset.wbResult))];
    if (!ids.length || asking) return;
    asking = true;
    const { known } = await client.ask("known", { results: ids }).finally(() => { asking = false; });
    for (const id of ids) if (!known.includes(id)) strange.add(id);
    await Promise.all(places.filter((e) => known.includes(e.dataset.wbResult)).map(cover));
    soon(); // for what came while the kernel was asked
  };

  const cover = async (element) => {
    if (element.dataset.wbLive !== undefined) return;
    element.dataset.wbLive = "";
    try {
      const grid = await Grid.open(client, element.dataset.wbResult);
      element.classList.add("wb-covered");
      element.append(grid.root);
      grids.set(element, grid);
      grid.shown();
    } catch (error) {
      console.warn(error.message); // the table stays
    }
  };

  // An output that is scrolled far away can leave the page for a while, and comes back with its grid.
  const dropLost = () => {
    for (const [element, grid] of grids) {
      if (element.isConnected) grid.lost = 0;
      else if (!grid.lost) grid.lost = Date.now();
      else if (Date.now() - grid.lost > LOST_FOR_GOOD) forget(element);
    }
  };

  const forget = (element) => {
    grids.get(element).close();
    grids.delete(element);
    element.classList.remove("wb-covered");
    delete element.dataset.wbLive;
  };

  const soon = () => {
    if (wanted) return;
    wanted = true;
    queueMicrotask(() => look().catch((error) => console.warn(error.message)));
  };
  const observer = new MutationObserver((changes) => {
    if (changes.some((change) => change.addedNodes.length || change.removedNodes.length)) soon();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("toggle", soon, true); // rows that lie folded below a chart
  soon();
  return () => {
    observer.disconnect();
    document.removeEventListener("toggle", soon, true);
    for (const element of [...grids.keys()]) forget(element);
  };
}

export default {
  initialize({ model }) {
    const client = new Client(model);
    const style = h("style", {}, model.get("style"));
    document.head.append(style);
    let leave = watch(client);
    // The channel has been cut, or is there again: grids without a kernel make way for their tables.
    model.on("comm_live_update", () => {
      leave();
      leave = watch(client);
    });
    return () => {
      leave();
      style.remove();
      client.close();
    };
  },
};
