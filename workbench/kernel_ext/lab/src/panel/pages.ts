/** The model of a panel with pages: one is open, a button of it may fail, and it asks again while it can be seen. */
import type { INotebookTracker } from '@jupyterlab/notebook';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import { Refused, type IMistake } from '../protocol';
import { AskingModel } from './asking';

export abstract class PagedModel<P> extends AskingModel {
  constructor(
    tracker: INotebookTracker,
    channels: Channels,
    readonly first: P
  ) {
    super(tracker, channels);
    this.page = first;
    document.addEventListener('visibilitychange', () => this.wake(0));
  }

  page: P;
  /** Why the last button of the page did nothing. */
  mistake: IMistake | null = null;

  /** Ask what the page on show asks; after how many milliseconds again. */
  protected abstract follow(channel: Channel, turn: number): Promise<number>;

  /** Whether nothing changes on the page by itself. */
  protected abstract get isStill(): boolean;

  protected override seen(): void {
    this.wake(0);
  }

  /** Do what a button asks; its mistake is shown on the page. */
  protected async doing(act: (channel: Channel) => Promise<void>): Promise<void> {
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    const page = this.page;
    this.mistake = null;
    try {
      await act(channel);
    } catch (error) {
      if (page === this.page) {
        this.mistake =
          error instanceof Refused
            ? { code: error.code, message: error.message, hint: error.hint }
            : { code: '', message: '', hint: null };
      }
    }
    this.changedSignal.emit();
    this.wake(0);
  }

  /** Look again after some milliseconds, and then again as long as the panel can be seen. */
  protected wake(after: number): void {
    window.clearTimeout(this.timer);
    if (this.visible && !document.hidden && !this.isStill) {
      this.timer = window.setTimeout(() => void this.look(), after);
    }
  }

  private async look(): Promise<void> {
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    const turn = ++this.turn;
    // What is no answer now may be one later.
    let pause = AGAIN;
    await this.asking(turn, async () => {
      pause = await this.follow(channel, turn);
    });
    if (turn === this.turn) {
      this.wake(pause);
    }
  }

  private timer = 0;
}

const AGAIN = 10_000;
