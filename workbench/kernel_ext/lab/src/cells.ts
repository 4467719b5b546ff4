/**
 * Tells JupyterLab which cells of a notebook are log searches, by their first line, as it changes.
 *
 * The cell's MIME type carries it: the editor then loads our language, and every other part of this plugin asks
 * the MIME type and nothing else. It is not stored in the notebook.
 */
import type { ICellModel } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import { isLogSearch, mimeOf } from './kql/languages';

export function watchCells(tracker: INotebookTracker, languages: IEditorLanguageRegistry): void {
  tracker.widgetAdded.connect((_, panel) => {
    void panel.context.ready.then(() => watchNotebook(panel, languages));
  });
}

function watchNotebook(panel: NotebookPanel, languages: IEditorLanguageRegistry): void {
  const notebook = panel.content;
  const known = new WeakSet<ICellModel>();

  const watch = (model: ICellModel): void => {
    if (model.type !== 'code' || known.has(model)) {
      return;
    }
    known.add(model);
    const settle = (): void => {
      const wanted = mimeOf(model.sharedModel.getSource());
      if (wanted === null && isLogSearch(model.mimeType)) {
        model.mimeType = notebook.codeMimetype;
      } else if (wanted !== null && model.mimeType !== wanted) {
        // An editor that still loads the language before this one would end in that.
        void languages.getLanguage(model.mimeType).finally(() => {
          model.mimeType = mimeOf(model.sharedModel.getSource()) ?? model.mimeType;
        });
      }
    };
    model.sharedModel.changed.connect((_, change) => {
      if (change.sourceChange) {
        settle();
      }
    });
    // The notebook sets the kernel's language again when cells come and kernels change.
    model.mimeTypeChanged.connect(settle);
    settle();
  };

  const watchAll = (): void => {
    for (const model of notebook.model?.cells ?? []) {
      watch(model);
    }
  };
  notebook.modelContentChanged.connect(watchAll);
  notebook.model?.cells.changed.connect(watchAll);
  watchAll();
}
