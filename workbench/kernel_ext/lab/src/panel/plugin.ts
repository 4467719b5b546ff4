/** Puts the side panel at the left of JupyterLab and Notebook 7, and does what its lines ask for. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import type { Channels } from '../channels';
import { PanelModel } from './model';
import type { Action } from './rows';
import { SearchPanel } from './view';

export const SHOW = 'workbench:show-panel';
const ID = 'workbench-search-panel';

const icon = new LabIcon({
  name: 'workbench:records',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" fill="currentColor"
    d="M3 4h18v2H3zm0 5h9v2H3zm0 5h7v2H3zm0 5h7v2H3zm13-8a5 5 0 1 0 2.9 9.1l2.5 2.5 1.4-1.4-2.5-2.5A5 5 0 0 0 16 11zm0 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6z"/></svg>`
});

export function addPanel(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  channels: Channels,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const model = new PanelModel(tracker, channels);
  const panel = new SearchPanel({ model, act: action => void act(tracker, action), trans });
  panel.id = ID;
  panel.title.icon = icon;
  panel.title.caption = trans.__('Log search');
  app.shell.add(panel, 'left', { rank: 350 });
  restorer?.add(panel, ID);

  app.commands.addCommand(SHOW, {
    label: trans.__('Show tables, searches and history'),
    execute: () => app.shell.activateById(ID)
  });
  palette?.addItem({ command: SHOW, category: trans.__('Log search') });
}

async function act(tracker: INotebookTracker, action: Action): Promise<void> {
  const panel = tracker.currentWidget;
  if (panel === null) {
    return;
  }
  if (action.kind === 'insert') {
    const editor = panel.content.activeCell?.editor;
    editor?.replaceSelection?.(action.text);
    editor?.focus();
  } else if (action.kind === 'cell') {
    await openCell(panel, action.code, action.run);
  }
}

/** Put code into the active cell of a notebook, or one below where that has something; run it, or leave it to be changed. */
export async function openCell(panel: NotebookPanel, code: string, run: boolean): Promise<void> {
  const notebook = panel.content;
  const active = notebook.activeCell?.model;
  if (active?.type !== 'code' || active.sharedModel.getSource().trim() !== '') {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  if (run) {
    await NotebookActions.run(notebook, panel.sessionContext);
  } else {
    notebook.mode = 'edit';
  }
}
