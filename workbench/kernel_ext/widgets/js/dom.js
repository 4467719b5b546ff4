// Elements made in one call. Text is always text: nothing of a record is read as HTML.

/** An element; `on…` attributes are listeners, false and null ones are left out, children are nodes or texts. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function button(text, press, attributes = {}) {
  return h("button", { type: "button", onclick: press, ...attributes }, text);
}

let numbered = 0;

/** An id that no other element of the page has. */
export function newId(kind) {
  return `wb-${kind}-${++numbered}`;
}
