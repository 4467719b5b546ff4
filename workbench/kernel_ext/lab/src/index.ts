/** The plugin of JupyterLab and Notebook 7: log search in notebooks. */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IEditorExtensionRegistry, IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addAlerts } from './alerts/plugin';
import { addAutomation } from './automation/plugin';
import { watchCells } from './cells';
import { Channels } from './channels';
import { addCommands } from './commands';
import { QueryCompletion } from './completion';
import { addEditorExtension } from './editor/extension';
import { lookAgain } from './editor/findings';
import { addLanguages } from './kql/languages';
import { answerOutputs } from './outputs';
import { addPanel } from './panel/plugin';
import { Options } from './settings';

const ID = 'workbench-lab:plugin';

const languages: JupyterFrontEndPlugin<void> = {
  id: 'workbench-lab:languages',
  description: 'Colours of KQL in files and log search cells.',
  autoStart: true,
  requires: [IEditorLanguageRegistry],
  activate: (app: JupyterFrontEnd, registry: IEditorLanguageRegistry) => {
    addLanguages(registry);
    app.docRegistry.addFileType({
      name: 'kql',
      displayName: 'KQL query',
      extensions: ['.kql', '.csl'],
      mimeTypes: ['text/x-kql'],
      contentType: 'file',
      fileFormat: 'text'
    });
  }
};

const search: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Completion, findings, commands and the side panels of log search, automation and alerts.',
  autoStart: true,
  requires: [INotebookTracker, IEditorExtensionRegistry, IEditorLanguageRegistry, IEditorServices],
  optional: [ICompletionProviderManager, ISettingRegistry, ICommandPalette, ITranslator, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    extensions: IEditorExtensionRegistry,
    registry: IEditorLanguageRegistry,
    editors: IEditorServices,
    completers: ICompletionProviderManager | null,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null
  ) => {
    const trans = (translator ?? nullTranslator).load('workbench');
    const options = new Options();
    const channels = new Channels(tracker);
    addEditorExtension(extensions, channels, () => options.now);
    watchCells(tracker, registry);
    addCommands(app, tracker, channels, options, palette, trans);
    answerOutputs(app, tracker, trans);
    addPanel(app, tracker, channels, palette, restorer, trans);
    const area = labShell ? 'main' : 'right';
    addAutomation(app, tracker, channels, editors.mimeTypeService, area, palette, restorer, trans);
    addAlerts(app, tracker, channels, editors, () => options.now, area, palette, restorer, trans);
    channels.changed.connect(lookAgain);
    channels.ran.connect(lookAgain);
    if (settings) {
      void options.follow(settings, ID, lookAgain);
    }
    if (completers) {
      const completion = new QueryCompletion(channels);
      completers.registerProvider(completion);
      void app.restored.then(() => completion.setOthersAside(completers));
    }
  }
};

export default [languages, search];
