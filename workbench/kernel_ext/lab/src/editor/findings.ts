/** What is wrong in a query, underlined where it stands: code, sentence and hint; F8 goes from one to the next. */
import { lintKeymap, linter, type Diagnostic } from '@codemirror/lint';
import { StateEffect, type Extension } from '@codemirror/state';
import { keymap, ViewPlugin, type EditorView, type ViewUpdate } from '@codemirror/view';

import { toUnits } from '../offsets';
import type { IFinding } from '../protocol';

/** What is wrong in a text. */
export type Find = (text: string) => Promise<IFinding[]>;

const SEVERITIES = { error: 'error', warning: 'warning', hint: 'hint' } as const;
const views = new Set<EditorView>();
const again = StateEffect.define<null>();

export interface IFindingSettings {
  diagnostics: boolean;
  delay: number;
}

export function findings(find: Find, settings: () => IFindingSettings): Extension {
  const { delay } = settings();
  const source = async (view: EditorView): Promise<Diagnostic[]> => {
    if (!settings().diagnostics) {
      return [];
    }
    const code = view.state.doc.toString();
    const found = await find(code);
    return found.map(one => drawn(one, code));
  };
  const known = ViewPlugin.define(view => {
    views.add(view);
    return { destroy: () => void views.delete(view) };
  });
  const needsRefresh = (update: ViewUpdate): boolean =>
    update.transactions.some(transaction => transaction.effects.some(effect => effect.is(again)));
  return [linter(source, { delay, needsRefresh }), keymap.of(lintKeymap), known];
}

/** Look again at all cells: a variable, a table or the connection may have changed. */
export function lookAgain(): void {
  for (const view of views) {
    if (view.dom.isConnected) {
      view.dispatch({ effects: again.of(null) });
    }
  }
}

function drawn(one: IFinding, code: string): Diagnostic {
  const from = Math.min(toUnits(one.span[0], code), code.length);
  const to = Math.max(from, Math.min(toUnits(one.span[1], code), code.length));
  return {
    from,
    to,
    severity: SEVERITIES[one.severity],
    message: one.message,
    markClass: 'wb-Finding',
    renderMessage: () => message(one)
  };
}

function message(one: IFinding): HTMLElement {
  const made = document.createElement('div');
  made.className = 'wb-Tip';
  const first = document.createElement('p');
  first.className = 'wb-Tip-finding';
  const code = document.createElement('code');
  code.textContent = one.code;
  first.append(code, ` ${one.message}`);
  made.append(first);
  if (one.hint !== null) {
    const hint = document.createElement('p');
    hint.className = 'wb-Tip-doc';
    hint.textContent = one.hint;
    made.append(hint);
  }
  return made;
}
