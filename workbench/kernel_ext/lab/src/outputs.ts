/**
 * What an output wants of the notebook that it stands in: read its cell, write it anew, put a cell below and run it.
 *
 * A widget has no way to the application, so it asks by an event at its element: `workbench:cell`, with what it wants
 * in `detail`. Where this plugin listens the event is taken (`preventDefault`), and `detail.done` says how it ended;
 * elsewhere nobody takes it, and the widget shows what it has. What changes the notebook are commands.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { replace } from './text';

export const OPEN_BELOW = 'workbench:open-search-below';
export const REWRITE = 'workbench:rewrite-cell';
const EVENT = 'workbench:cell';

/** The other side is `kernel_ext/widgets/js/notebook_cell.js` and `kernel_ext/assets/dashboard.js`. */
interface IWish {
  want: 'read' | 'write' | 'open below';
  /** The new text of the cell, or that of the cell to come. */
  source?: string;
  /** Answers to `read`. */
  text?: string;
  /** Of the others: whether the notebook took it. */
  done?: Promise<boolean>;
}

interface IPlace {
  panel: NotebookPanel;
  cell: Cell;
}

export function answerOutputs(app: JupyterFrontEnd, tracker: INotebookTracker, trans: TranslationBundle): void {
  const places = (): IPlace[] => {
    const found: IPlace[] = [];
    tracker.forEach(panel => panel.content.widgets.forEach(cell => found.push({ panel, cell })));
    return found;
  };
  const named = (id: unknown): IPlace | null => places().find(place => place.cell.model.id === id) ?? null;

  app.commands.addCommand(REWRITE, {
    label: trans.__('Write the text of a cell anew'),
    isVisible: () => false,
    execute: args => {
      const place = named(args['cell']);
      if (place === null || !isWritable(place)) {
        return false;
      }
      const shared = place.cell.model.sharedModel;
      replace(shared, shared.getSource(), String(args['source'] ?? ''));
      return true;
    }
  });

  app.commands.addCommand(OPEN_BELOW, {
    label: trans.__('Put a search below a cell and run it'),
    isVisible: () => false,
    execute: async args => {
      const place = named(args['cell']);
      if (place === null || !isWritable(place)) {
        return false;
      }
      const { content: notebook, sessionContext } = place.panel;
      const index = notebook.widgets.indexOf(place.cell) + 1;
      notebook.model?.sharedModel.insertCell(index, {
        cell_type: 'code',
        source: String(args['source'] ?? ''),
        metadata: { trusted: true }
      });
      notebook.deselectAll();
      notebook.activeCellIndex = index;
      void notebook.scrollToItem(index, 'smart');
      void NotebookActions.run(notebook, sessionContext);
      return true;
    }
  });

  document.addEventListener(EVENT, event => {
    const wish = (event as CustomEvent<IWish>).detail;
    const place = places().find(({ cell }) => cell.node.contains(event.target as Node));
    if (!place) {
      return;
    }
    const cell = place.cell.model.id;
    const { source } = wish;
    if (wish.want === 'read') {
      wish.text = place.cell.model.sharedModel.getSource();
    } else if (typeof source === 'string') {
      const command = wish.want === 'write' ? REWRITE : OPEN_BELOW;
      wish.done = app.commands.execute(command, { cell, source }) as Promise<boolean>;
    }
    event.preventDefault();
  });
}

function isWritable({ panel, cell }: IPlace): boolean {
  return panel.context.model.readOnly !== true && cell.model.getMetadata('editable') !== false;
}
