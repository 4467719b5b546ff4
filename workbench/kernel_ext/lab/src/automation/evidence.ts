/** The executed notebook of a job in a tab of its own: to be looked at, with no kernel and nothing to edit. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IEditorMimeTypeService } from '@jupyterlab/codeeditor';
import { NotebookModel, StaticNotebook, type INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { moment } from '../panel/texts';
import type { IJob } from '../protocol';

type Content = Parameters<NotebookModel['fromJSON']>[0];

export class Evidence {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
    private readonly mimeTypeService: IEditorMimeTypeService,
    /** Where it goes: the main area of Notebook 7 holds one widget, so there it stands at the right. */
    private readonly area: 'main' | 'right',
    private readonly trans: TranslationBundle
  ) {}

  /** Show it, or bring the tab of this try of the job to the front. */
  show(job: IJob, notebook: object): void {
    const id = `workbench-evidence-${job.id}-${job.attempt}-${job.state}`;
    const current = this.tracker.currentWidget;
    if (![...this.app.shell.widgets(this.area)].some(widget => widget.id === id)) {
      if (current === null) {
        return;
      }
      const widget = this.made(id, job, notebook, current.content);
      if (this.area === 'right') {
        this.beside?.dispose();
        this.beside = widget;
      }
      this.app.shell.add(widget, this.area, { rank: 900 });
    }
    this.app.shell.activateById(id);
  }

  private made(id: string, job: IJob, notebook: object, like: StaticNotebook): MainAreaWidget<StaticNotebook> {
    const content = new StaticNotebook({
      rendermime: like.rendermime.clone(),
      contentFactory: like.contentFactory,
      mimeTypeService: this.mimeTypeService,
      editorConfig: like.editorConfig,
      notebookConfig: { ...StaticNotebook.defaultNotebookConfig, windowingMode: 'none' }
    });
    const model = new NotebookModel();
    model.fromJSON(notebook as Content);
    model.readOnly = true;
    content.model = model;
    content.addClass('wb-Evidence');
    content.node.tabIndex = 0;
    content.node.setAttribute('aria-label', this.trans.__('Executed notebook of %1', job.runbook));
    content.disposed.connect(() => model.dispose());
    const widget = new MainAreaWidget({ content });
    widget.toolbar.hide();
    widget.id = id;
    widget.title.label = this.trans.__('%1 (executed)', job.runbook);
    widget.title.caption = this.trans.__('%1, job %2, %3 UTC, read only', job.runbook, job.id, moment(job.created));
    widget.title.closable = true;
    return widget;
  }

  /** The one that stands at the right; another takes its place. */
  private beside: MainAreaWidget | null = null;
}
