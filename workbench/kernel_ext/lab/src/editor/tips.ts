/** The small boxes at a word of a query: what it is, and the call that is being written. */
import type { IHover, ISignature } from '../protocol';

export function hoverTip(found: IHover): HTMLElement {
  const named = found.kind === 'function' || found.kind === 'aggregate' || found.kind === 'operator' || found.kind === 'plugin';
  const lines = found.detail.split('\n');
  return tip([
    ...lines.map(line => element('code', 'wb-Tip-code', named ? line : `${found.label}: ${line}`)),
    ...told(found.doc)
  ]);
}

export function signatureTip(found: ISignature): HTMLElement {
  const line = element('code', 'wb-Tip-code', '');
  const characters = Array.from(found.label);
  const active = found.parameters[found.active];
  const part = (from: number, to?: number): string => characters.slice(from, to).join('');
  if (active) {
    line.append(part(0, active[0]), element('b', 'wb-Tip-active', part(...active)), part(active[1]));
  } else {
    line.append(found.label);
  }
  return tip([line, ...found.others.map(other => element('code', 'wb-Tip-code wb-mod-other', other)), ...told(found.doc)]);
}

function told(doc: string): HTMLElement[] {
  return doc === '' ? [] : [element('p', 'wb-Tip-doc', doc)];
}

function tip(children: HTMLElement[]): HTMLElement {
  const made = element('div', 'wb-Tip', '');
  made.append(...children);
  return made;
}

function element(name: string, className: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
