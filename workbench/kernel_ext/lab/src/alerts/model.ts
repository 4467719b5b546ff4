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
import {
  NoAnswer,
  type IAlertPage,
  type IAlertRulePage,
  type IAlerts,
  type IQuestions,
  type Response
} from '../protocol';

const PATIENCE = 30_000;
/** For the query of a preview. */
const LONG = 90_000;
/** Milliseconds until the next question. */
const AGAIN = 3_000;

/** Rejects with `Refused` or `NoAnswer`. */
export type Ask = <Q extends keyof IQuestions>(question: Q, rest: IQuestions[Q][0]) => Promise<IQuestions[Q][1]>;

export type Page = { kind: 'lists' } | { kind: 'rule'; rule: string } | { kind: 'alert'; alert: string };

export class AlertsModel extends PagedModel<Page> {
  constructor(tracker: INotebookTracker, channels: Channels) {
    super(tracker, channels, { kind: 'lists' });
  }

  known: IAlerts | null = null;
  /** That of the page, once it is read. */
  rule: IAlertRulePage | null = null;
  alert: IAlertPage | null = null;

  async refresh(): Promise<void> {
    const turn = this.begin();
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    if (this.known === null) {
      this.become({ kind: 'loading' });
    }
    await this.asking(turn, async () => {
      await this.list(channel, turn);
      await this.follow(channel, turn);
    });
    this.wake(AGAIN);
  }

  /** Show another page. */
  open(page: Page): void {
    this.page = page;
    this.mistake = null;
    this.rule = null;
    this.alert = null;
    this.changedSignal.emit();
    this.wake(0);
  }

  switchRule(rule: string, how: 'enable' | 'disable' | 'run'): Promise<void> {
    return this.doing(async channel => void (await channel.ask('switchRule', { rule, how }, PATIENCE)));
  }

  /** Acknowledge, close or comment; whether it was done. */
  async respond(alert: string, how: Response, comment: string): Promise<boolean> {
    let isDone = false;
    await this.doing(async channel => {
      const answer = await channel.ask('respond', { alert, how, comment }, PATIENCE);
      isDone = true;
      if (this.alert !== null) {
        this.alert = { ...this.alert, alert: answer };
      }
    });
    return isDone;
  }

  /** The search behind an alert; null where there is none, and `mistake` says why. */
  async records(alert: string): Promise<{ query: string; timespan: string } | null> {
    let found: { query: string; timespan: string } | null = null;
    await this.doing(async channel => {
      found = await channel.ask('alertRecords', { alert }, PATIENCE);
    });
    return found;
  }

  /** What an editor begins with: a text, and whom it asks: always the notebook that is in front now. */
  async begun(rule: string | null): Promise<{ text: string; ask: Ask } | null> {
    const panel = this.tracker.currentWidget;
    const ask: Ask = (question, rest) => {
      const channel = this.channels.of(panel);
      return channel === null ? Promise.reject(new NoAnswer('closed')) : channel.ask(question, rest, LONG);
    };
    let text: string | null = null;
    await this.doing(async () => {
      text = (await ask('alertText', { rule })).text;
    });
    return text === null ? null : { text, ask };
  }

  protected forget(): void {
    this.known = null;
    this.page = this.first;
  }

  protected get isStill(): boolean {
    return this.known === null;
  }

  protected async follow(channel: Channel, turn: number): Promise<number> {
    const page = this.page;
    if (page.kind === 'lists') {
      await this.list(channel, turn);
    } else if (page.kind === 'rule') {
      const rule = await channel.ask('alertRule', { rule: page.rule }, PATIENCE);
      this.shows(page, () => (this.rule = rule));
    } else {
      const alert = await channel.ask('alert', { alert: page.alert }, PATIENCE);
      this.shows(page, () => (this.alert = alert));
    }
    return AGAIN;
  }

  private async list(channel: Channel, turn: number): Promise<void> {
    const known = await channel.ask('alerts', {}, PATIENCE);
    if (turn === this.turn) {
      this.known = known;
      this.become({ kind: 'ready' });
    }
  }

  /** Show what was answered, unless another page is open by now. */
  private shows(page: Page, set: () => void): void {
    if (page === this.page) {
      set();
      this.become({ kind: 'ready' });
    }
  }
}
