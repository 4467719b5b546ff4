/** What the word under the pointer means. */
import type { Extension } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';

import { toCharacters, toUnits } from '../offsets';
import type { Ask } from './extension';
import { hoverTip } from './tips';

export function hovers(ask: Ask): Extension {
  return hoverTooltip(async (view, pos) => {
    const code = view.state.doc.toString();
    const found = await ask('hover', { code, position: toCharacters(pos, code) });
    if (!found || view.state.doc.toString() !== code) {
      return null;
    }
    return {
      pos: toUnits(found.span[0], code),
      end: toUnits(found.span[1], code),
      above: true,
      create: () => ({ dom: hoverTip(found) })
    };
  });
}
