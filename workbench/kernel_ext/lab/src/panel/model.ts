/**
 * What the side panel knows of the workspace behind the notebook in front, and how sure that is.
 *
 * It asks the notebook's kernel and keeps the last answer on show while a newer one is on its way.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import { Refused, type IFacts, type IOverview, type IPast } from '../protocol';

const PATIENCE = 20_000;
/** Tables whose facts are asked for at once: each needs a look into its log. */
const BATCH = 20;

export type State =
  | { kind: 'no notebook' | 'no kernel' | 'not loaded' | 'loading' | 'no answer' | 'ready' }
  | { kind: 'refused'; code: string; message: string; hint: string | null };

export class PanelModel {
  constructor(
    readonly tracker: INotebookTracker,
    private readonly channels: Channels
  ) {
    channels.changed.connect((_, panel) => {
      if (panel === tracker.currentWidget) {
        this.outdated();
      }
    });
    channels.ran.connect((_, panel) => {
      if (panel === tracker.currentWidget) {
        this.outdated();
      }
    });
  }

  state: State = { kind: 'no notebook' };
  overview: IOverview | null = null;
  facts: Record<string, IFacts> = {};
  history: IPast[] = [];

  /** Emitted when there is something else to show. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** While the panel can't be seen, nothing is asked. */
  set visible(visible: boolean) {
    this.isVisible = visible;
    if (visible && this.isOutdated) {
      void this.refresh();
    }
  }

  /** Ask for everything anew. */
  async refresh(): Promise<void> {
    this.isOutdated = false;
    const panel = this.tracker.currentWidget;
    const channel = this.channels.of(panel);
    const turn = ++this.turn;
    if (panel !== this.shown) {
      this.shown = panel;
      this.overview = null;
      this.facts = {};
      this.history = [];
    }
    if (panel === null || channel === null || !channel.isOpen) {
      this.overview = null;
      this.become({ kind: panel === null ? 'no notebook' : channel === null ? 'no kernel' : 'not loaded' });
      return;
    }
    if (this.overview === null) {
      this.become({ kind: 'loading' });
    }
    try {
      const overview = await channel.ask('overview', {}, PATIENCE);
      const history = await channel.ask('history', {}, PATIENCE);
      if (turn !== this.turn) {
        return;
      }
      this.overview = overview;
      this.history = history;
      this.become({ kind: 'ready' });
      await this.count(channel, turn, overview.tables.map(table => table.name));
    } catch (error) {
      if (turn === this.turn) {
        this.become(
          error instanceof Refused
            ? { kind: 'refused', code: error.code, message: error.message, hint: error.hint }
            : { kind: 'no answer' }
        );
      }
    }
  }

  /** Load the extension in the notebook in front. */
  async load(): Promise<void> {
    this.become({ kind: 'loading' });
    try {
      await this.channels.of(this.tracker.currentWidget)?.load();
    } catch (error) {
      if (error instanceof Refused) {
        this.become({ kind: 'refused', code: error.code, message: error.message, hint: error.hint });
      }
    }
  }

  private async count(channel: Channel, turn: number, names: string[]): Promise<void> {
    for (let at = 0; at < names.length && turn === this.turn; at += BATCH) {
      const found = await channel.ask('facts', { tables: names.slice(at, at + BATCH) }, PATIENCE);
      this.facts = { ...this.facts, ...found };
      this.changedSignal.emit();
    }
  }

  private outdated(): void {
    this.isOutdated = true;
    if (this.isVisible) {
      void this.refresh();
    }
  }

  private become(state: State): void {
    this.state = state;
    this.changedSignal.emit();
  }

  private readonly changedSignal = new Signal<this, void>(this);
  private shown: NotebookPanel | null = null;
  private isVisible = false;
  private isOutdated = true;
  private turn = 0;
}
