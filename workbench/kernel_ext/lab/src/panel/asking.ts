/**
 * What every side panel's model does: ask the kernel of the notebook in front while the panel can be seen, keep the last
 * answer on show while a newer one is on its way, and say how sure that is.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import { Refused } from '../protocol';

export type State =
  | { kind: 'no notebook' | 'no kernel' | 'not loaded' | 'loading' | 'no answer' | 'ready' }
  | { kind: 'refused'; code: string; message: string; hint: string | null };

export abstract class AskingModel {
  constructor(
    protected readonly tracker: INotebookTracker,
    protected readonly channels: Channels
  ) {
    const stale = (_: Channels, panel: NotebookPanel | null): void => {
      if (panel === tracker.currentWidget) {
        this.outdated();
      }
    };
    channels.changed.connect(stale);
    channels.ran.connect(stale);
  }

  state: State = { kind: 'no notebook' };

  /** Emitted when there is something else to show. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  get visible(): boolean {
    return this.isVisible;
  }

  /** While the panel can't be seen, nothing is asked. */
  set visible(visible: boolean) {
    this.isVisible = visible;
    if (visible && this.isOutdated) {
      void this.refresh();
    } else {
      this.seen();
    }
  }

  /** Ask for everything anew. */
  abstract refresh(): Promise<void>;

  /** Load the extension in the notebook in front. */
  async load(): Promise<void> {
    this.become({ kind: 'loading' });
    await this.asking(this.turn, async () => {
      await this.channels.of(this.tracker.currentWidget)?.load();
    });
  }

  /** Forget what is known: another notebook may be of another workspace. */
  protected abstract forget(): void;

  /** The panel came to be seen, or no longer is. */
  protected seen(): void {}

  /** A question for everything begins: its number. An answer counts only while no later one has begun. */
  protected begin(): number {
    this.isOutdated = false;
    return ++this.turn;
  }

  /** The open connection; says what is missing where there is none. */
  protected channel(): Channel | null {
    const panel = this.tracker.currentWidget;
    const channel = this.channels.of(panel);
    if (channel?.isOpen) {
      return channel;
    }
    this.become({ kind: panel === null ? 'no notebook' : channel === null ? 'no kernel' : 'not loaded' });
    return null;
  }

  /** Ask; what goes wrong becomes the state. */
  protected async asking(turn: number, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
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

  protected become(state: State): void {
    this.state = state;
    this.changedSignal.emit();
  }

  private outdated(): void {
    this.isOutdated = true;
    const panel = this.tracker.currentWidget;
    if (panel !== this.shown) {
      this.shown = panel;
      this.forget();
    }
    if (this.isVisible) {
      void this.refresh();
    }
  }

  protected readonly changedSignal = new Signal<this, void>(this);
  protected turn = 0;
  private shown: NotebookPanel | null = null;
  private isVisible = false;
  private isOutdated = true;
}
