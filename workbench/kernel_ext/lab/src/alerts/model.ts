/**
 * What the panel of alerts knows of rules and alerts, and which page of it is open.
 *
 * It asks the notebook's kernel, which asks the service: again and again while the panel can be seen, since an alert
 * fires when nobody does anything.
 */
import type { INotebookTracker } from '@jupyterlab/notebook';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import { PagedModel } from '../panel/pages';
import type { IAlerts } from '../protocol';

const PATIENCE = 30_000;
/** Milliseconds until the next question. */
const AGAIN = 5_000;

export type Page = { kind: 'lists' } | { kind: 'rule'; rule: string } | { kind: 'alert'; alert: string };

export class AlertsModel extends PagedModel<Page> {
  constructor(tracker: INotebookTracker, channels: Channels) {
    super(tracker, channels, { kind: 'lists' });
  }

  known: IAlerts | null = null;

  async refresh(): Promise<void> {
    const turn = this.begin();
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    if (this.known === null) {
      this.become({ kind: 'loading' });
    }
    await this.asking(turn, async () => void (await this.follow(channel, turn)));
    this.wake(AGAIN);
  }

  /** Show another page. */
  open(page: Page): void {
    this.page = page;
    this.mistake = null;
    this.changedSignal.emit();
    this.wake(0);
  }

  protected forget(): void {
    this.known = null;
    this.page = this.first;
  }

  protected get isStill(): boolean {
    return this.known === null;
  }

  protected async follow(channel: Channel, turn: number): Promise<number> {
    const known = await channel.ask('alerts', {}, PATIENCE);
    if (turn === this.turn) {
      this.known = known;
      this.become({ kind: 'ready' });
    }
    return AGAIN;
  }
}
