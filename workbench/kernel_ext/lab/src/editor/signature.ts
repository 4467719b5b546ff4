/** The signature of the call around the cursor, above it while its arguments are written; Escape hides it. */
import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { EditorView, keymap, showTooltip, ViewPlugin, type Tooltip, type ViewUpdate } from '@codemirror/view';

import { toCharacters } from '../offsets';
import type { Ask } from './extension';
import { signatureTip } from './tips';

const PAUSE = 120;
const show = StateEffect.define<Tooltip | null>();

const shown = StateField.define<Tooltip | null>({
  create: () => null,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(show)) {
        return effect.value;
      }
    }
    return value;
  },
  provide: field => showTooltip.from(field)
});

export function signatures(ask: Ask): Extension {
  const watcher = ViewPlugin.define(view => {
    let timer = 0;
    const hide = (): void => {
      if (view.state.field(shown) !== null) {
        // Not during the update that is being told of.
        timer = window.setTimeout(() => view.dispatch({ effects: show.of(null) }));
      }
    };
    const look = async (): Promise<void> => {
      const { doc, selection } = view.state;
      const code = doc.toString();
      const found = await ask('signature', { code, position: toCharacters(selection.main.head, code) });
      if (view.state.doc !== doc || !view.state.selection.eq(selection) || !view.hasFocus) {
        return;
      }
      const tooltip: Tooltip | null = found
        ? { pos: selection.main.head, above: true, arrow: false, create: () => ({ dom: signatureTip(found) }) }
        : null;
      if (tooltip !== null || view.state.field(shown) !== null) {
        view.dispatch({ effects: show.of(tooltip) });
      }
    };
    return {
      update(update: ViewUpdate) {
        if (!update.docChanged && !update.selectionSet && !update.focusChanged) {
          return;
        }
        window.clearTimeout(timer);
        if (view.hasFocus && inCall(update)) {
          timer = window.setTimeout(() => void look(), PAUSE);
        } else {
          hide();
        }
      },
      destroy: () => window.clearTimeout(timer)
    };
  });
  const escape = keymap.of([
    {
      key: 'Escape',
      run: (view: EditorView) => {
        if (view.state.field(shown) === null) {
          return false;
        }
        view.dispatch({ effects: show.of(null) });
        return true;
      }
    }
  ]);
  return [shown, watcher, escape];
}

/** Whether an open parenthesis stands before the cursor, so that asking is worth it. */
function inCall(update: ViewUpdate): boolean {
  const before = update.state.sliceDoc(0, update.state.selection.main.head);
  let open = 0;
  for (const char of before) {
    open += char === '(' ? 1 : char === ')' && open > 0 ? -1 : 0;
  }
  return open > 0 && update.state.selection.main.empty;
}
