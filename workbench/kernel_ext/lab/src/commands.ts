/** Commands on log search cells: format, run with another time range. In the palette, the context menu, by key. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification, type ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Channels } from './channels';
import { isLogSearch } from './kql/languages';
import { withTimespan } from './magicline';
import { Refused } from './protocol';
import type { Options } from './settings';
import { replace } from './text';

export const FORMAT = 'workbench:format';
export const RUN_WITH_TIME = 'workbench:run-with-time';

export function addCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  channels: Channels,
  options: Options,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const category = trans.__('Log search');
  const cell = (): typeof tracker.activeCell => {
    const active = tracker.activeCell;
    return active && isLogSearch(active.model.mimeType) ? active : null;
  };

  app.commands.addCommand(FORMAT, {
    label: trans.__('Format query'),
    caption: trans.__('Lay out the query of the active cell anew'),
    isEnabled: () => cell() !== null,
    execute: async () => {
      const active = cell();
      const channel = active && channels.ofModel(active.model);
      if (!active || !channel) {
        Notification.warning(trans.__('The kernel does not answer: run "%load_ext workbench" in this notebook.'));
        return;
      }
      const shared = active.model.sharedModel;
      const code = shared.getSource();
      try {
        const made = await channel.ask('format', { code, width: Math.round(options.now.formatWidth) });
        if (made !== code && shared.getSource() === code) {
          replace(shared, code, made);
        }
      } catch (error) {
        const why = error instanceof Refused ? `${error.code}: ${error.message}` : trans.__('the kernel gave no answer in time');
        Notification.warning(trans.__('Not formatted. %1', why));
      }
    }
  });

  const ranges: [string, string][] = [
    ['PT15M', trans.__('Run with the last 15 minutes')],
    ['PT1H', trans.__('Run with the last hour')],
    ['P1D', trans.__('Run with the last 24 hours')],
    ['P7D', trans.__('Run with the last 7 days')],
    ['P30D', trans.__('Run with the last 30 days')],
    ['', trans.__('Run with all records')]
  ];
  app.commands.addCommand(RUN_WITH_TIME, {
    label: args => ranges.find(([span]) => span === args['span'])?.[1] ?? trans.__('Run with a time range'),
    isEnabled: () => cell() !== null,
    execute: async args => {
      const active = cell();
      if (!active) {
        return;
      }
      const shared = active.model.sharedModel;
      const code = shared.getSource();
      const made = withTimespan(code, String(args['span'] ?? ''));
      if (made !== code) {
        replace(shared, code, made);
      }
      await app.commands.execute('notebook:run-cell');
    }
  });

  palette?.addItem({ command: FORMAT, category });
  for (const [span] of ranges) {
    palette?.addItem({ command: RUN_WITH_TIME, category, args: { span } });
  }
}
