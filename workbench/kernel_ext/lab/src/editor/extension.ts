/** What an editor gets when it shows a log search: hover, signature, findings. It is still in every other cell. */
import { Compartment, type Extension } from '@codemirror/state';
import { EditorView, ViewPlugin } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { EditorExtensionRegistry, type IEditorExtensionRegistry } from '@jupyterlab/codemirror';

import type { Channels } from '../channels';
import { isLogSearch } from '../kql/languages';
import type { IQuestions } from '../protocol';
import { findings, type IFindingSettings } from './findings';
import { hovers } from './hover';
import { signatures } from './signature';

/** Nothing waits for findings, so a kernel that is slow may take its time. */
const PATIENCE = 30_000;

/** Ask the kernel of the cell; null where nobody answers in time. */
export type Ask = <Q extends keyof IQuestions>(
  ask: Q,
  rest: IQuestions[Q][0],
  patience?: number
) => Promise<IQuestions[Q][1] | null>;

export function addEditorExtension(
  registry: IEditorExtensionRegistry,
  channels: Channels,
  settings: () => IFindingSettings
): void {
  registry.addExtension({
    name: 'workbench:logsearch',
    factory: ({ model }) => EditorExtensionRegistry.createImmutableExtension(whileLogSearch(model, channels, settings))
  });
}

function whileLogSearch(model: CodeEditor.IModel, channels: Channels, settings: () => IFindingSettings): Extension {
  const place = new Compartment();
  const ask: Ask = async (question, rest, patience) => {
    try {
      return (await channels.ofModel(model)?.ask(question, rest, patience)) ?? null;
    } catch {
      // A mistake is told by the finding and at the run; no answer in time is none.
      return null;
    }
  };
  const inside = (): Extension =>
    isLogSearch(model.mimeType)
      ? [
          EditorView.editorAttributes.of({ class: 'wb-LogSearch' }),
          hovers(ask),
          signatures(ask),
          findings(async code => (await ask('findings', { code }, PATIENCE)) ?? [], settings)
        ]
      : [];
  const switcher = ViewPlugin.define(view => {
    let is = isLogSearch(model.mimeType);
    const turn = (): void => {
      if (isLogSearch(model.mimeType) !== is) {
        is = !is;
        // The change of the text that brought this is still being drawn.
        window.setTimeout(() => view.dispatch({ effects: place.reconfigure(inside()) }));
      }
    };
    model.mimeTypeChanged.connect(turn);
    return { destroy: () => void model.mimeTypeChanged.disconnect(turn) };
  });
  return [place.of(inside()), switcher];
}
