/** The channel of each notebook, following its kernel; and the notebook that a cell's model is in. */
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import { Channel } from './channel';

export class Channels {
  constructor(private readonly tracker: INotebookTracker) {
    tracker.forEach(panel => this.follow(panel));
    tracker.widgetAdded.connect((_, panel) => this.follow(panel));
    tracker.currentChanged.connect(() => this.changedSignal.emit(tracker.currentWidget));
  }

  /** Emitted when a notebook's connection opened, closed or was replaced, and when another notebook is current. */
  get changed(): ISignal<this, NotebookPanel | null> {
    return this.changedSignal;
  }

  /** Emitted when a cell of a notebook was run. */
  get ran(): ISignal<this, NotebookPanel> {
    return this.ranSignal;
  }

  /** The channel of a notebook; null without a kernel. */
  of(panel: NotebookPanel | null): Channel | null {
    return panel === null ? null : (this.channels.get(panel) ?? null);
  }

  /** The open channel of the notebook that holds this cell, null where nobody answers. */
  ofModel(model: CodeEditor.IModel): Channel | null {
    const panel = this.tracker.find(p => p.content.widgets.some(c => c.model === model));
    const channel = this.of(panel ?? null);
    return channel?.isOpen ? channel : null;
  }

  private follow(panel: NotebookPanel): void {
    const context = panel.sessionContext;
    const renew = (): void => {
      this.channels.get(panel)?.dispose();
      this.channels.delete(panel);
      const kernel = context.session?.kernel;
      if (kernel) {
        const channel = new Channel(kernel);
        channel.changed.connect(() => this.changedSignal.emit(panel));
        channel.ran.connect(() => this.ranSignal.emit(panel));
        this.channels.set(panel, channel);
      }
      this.changedSignal.emit(panel);
    };
    context.kernelChanged.connect(renew);
    // A restart keeps the kernel's connection but nothing that was loaded.
    context.connectionStatusChanged.connect((_, status) => {
      if (status === 'connected' && this.of(panel)?.isDisposed !== false) {
        renew();
      }
    });
    panel.disposed.connect(() => {
      this.channels.get(panel)?.dispose();
      this.channels.delete(panel);
    });
    if (context.session?.kernel) {
      renew();
    }
  }

  private readonly channels = new Map<NotebookPanel, Channel>();
  private readonly changedSignal = new Signal<this, NotebookPanel | null>(this);
  private readonly ranSignal = new Signal<this, NotebookPanel>(this);
}
