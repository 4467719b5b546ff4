/** Puts the automation panel beside the log search panel, with its commands. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IEditorMimeTypeService } from '@jupyterlab/codeeditor';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import type { Channels } from '../channels';
import type { IJob } from '../protocol';
import { Evidence } from './evidence';
import { AutomationModel } from './model';
import { AutomationPanel } from './view';

export const SHOW = 'workbench:show-automation';
export const START = 'workbench:start-runbook';
const ID = 'workbench-automation-panel';

const icon = new LabIcon({
  name: 'workbench:automation',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" fill="currentColor"
    d="M5 2h9l5 5v5h-2V8h-4V4H5v16h5v2H5a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm2 8h7v2H7zm0 4h4v2H7zm6 0 9 4.5-9 4.5z"/></svg>`
});

export function addAutomation(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  channels: Channels,
  mimeTypes: IEditorMimeTypeService,
  area: 'main' | 'right',
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const model = new AutomationModel(tracker, channels);
  const evidence = new Evidence(app, tracker, mimeTypes, area, trans);
  const openNotebook = async (job: IJob): Promise<void> => {
    const notebook = await model.notebook(job.id);
    if (notebook !== null) {
      evidence.show(job, notebook);
    }
  };
  const panel = new AutomationPanel({ model, openNotebook: job => void openNotebook(job), trans });
  panel.id = ID;
  panel.title.icon = icon;
  panel.title.caption = trans.__('Automation: runbooks and jobs');
  app.shell.add(panel, 'left', { rank: 351 });
  restorer?.add(panel, ID);

  app.commands.addCommand(SHOW, {
    label: trans.__('Show runbooks and jobs'),
    execute: () => {
      model.open({ kind: 'lists' });
      app.shell.activateById(ID);
    }
  });
  app.commands.addCommand(START, {
    label: args => (args['runbook'] ? trans.__('Start runbook %1', String(args['runbook'])) : trans.__('Start a runbook')),
    execute: args => {
      const runbook = args['runbook'];
      model.open(typeof runbook === 'string' ? { kind: 'form', runbook } : { kind: 'lists' });
      app.shell.activateById(ID);
    }
  });
  const category = trans.__('Automation');
  palette?.addItem({ command: SHOW, category });
  palette?.addItem({ command: START, category });
}
