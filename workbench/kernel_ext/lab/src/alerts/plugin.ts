/** Puts the panel of alerts beside those of log search and automation, with its commands. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';

import type { Channels } from '../channels';
import type { IFindingSettings } from '../editor/findings';
import { cellOf } from '../magicline';
import { openCell } from '../panel/plugin';
import { AlertsModel } from './model';
import { RuleTabs } from './tabs';
import { AlertsPanel } from './view';

export const SHOW = 'workbench:show-alerts';
export const NEW = 'workbench:new-alert-rule';
const ID = 'workbench-alerts-panel';

const icon = new LabIcon({
  name: 'workbench:alerts',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3 jp-icon-selectable" fill="currentColor"
    d="M12 2a2 2 0 0 1 2 2v.3A7 7 0 0 1 19 11v5l2 2v1H3v-1l2-2v-5a7 7 0 0 1 5-6.7V4a2 2 0 0 1 2-2zm0 4a5 5 0 0 0-5 5v6h10v-6a5 5 0 0 0-5-5zm-2 14h4a2 2 0 0 1-4 0z"/></svg>`
});

export function addAlerts(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  channels: Channels,
  editors: IEditorServices,
  settings: () => IFindingSettings,
  area: 'main' | 'right',
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const model = new AlertsModel(tracker, channels);
  const tabs = new RuleTabs(app, model, editors, settings, area, trans);
  const edit = (rule: string | null): void => void tabs.open(rule);
  const openRecords = async (alert: string): Promise<void> => {
    const notebook = tracker.currentWidget;
    const search = await model.records(alert);
    if (search !== null && notebook !== null) {
      app.shell.activateById(notebook.id);
      await openCell(notebook, cellOf(search.query, search.timespan), true);
    }
  };
  const panel = new AlertsPanel({ model, edit, openRecords: alert => void openRecords(alert), trans });
  panel.id = ID;
  panel.title.icon = icon;
  panel.title.caption = trans.__('Alerts: what fires, rules, history');
  app.shell.add(panel, 'left', { rank: 352 });
  restorer?.add(panel, ID);

  app.commands.addCommand(SHOW, {
    label: trans.__('Show alerts and rules'),
    execute: () => {
      model.open({ kind: 'lists' });
      app.shell.activateById(ID);
    }
  });
  app.commands.addCommand(NEW, { label: trans.__('New alert rule'), execute: () => edit(null) });
  const category = trans.__('Alerts');
  palette?.addItem({ command: SHOW, category });
  palette?.addItem({ command: NEW, category });
}
