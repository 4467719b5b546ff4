/**
 * What the automation panel knows of runbooks and jobs, and which page of it is open.
 *
 * It asks the notebook's kernel, which asks the service. While the panel can be seen it asks again: soon where a job
 * runs, seldom else; a job that is over is not asked for any more, and while a form is filled in nothing is.
 */
import type { INotebookTracker } from '@jupyterlab/notebook';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import { PagedModel } from '../panel/pages';
import type { IAutomation, IJob, ILine, IMistake, IStart } from '../protocol';

const PATIENCE = 30_000;
/** Milliseconds until the next question: of a job that is shown, of the list with a job that runs, of a quiet list. */
const SOON = 1_000;
const LISTED = 2_000;
const SELDOM = 10_000;
/** Lines on show: a job can tell without end. */
const MOST_LINES = 2_000;
const ENDED = ['Completed', 'Failed', 'Stopped'];

export type Page = { kind: 'lists' } | { kind: 'form'; runbook: string } | { kind: 'job'; job: string };

export class AutomationModel extends PagedModel<Page> {
  constructor(tracker: INotebookTracker, channels: Channels) {
    super(tracker, channels, { kind: 'lists' });
  }

  known: IAutomation | null = null;
  job: IJob | null = null;
  lines: ILine[] = [];
  /** Lines that are no longer on show. */
  dropped = 0;
  /** Whether the job on show tells nothing more. */
  over = false;

  async refresh(): Promise<void> {
    const turn = this.begin();
    this.lastRead = Date.now();
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    if (this.known === null) {
      this.become({ kind: 'loading' });
    }
    await this.asking(turn, async () => {
      const known = await channel.ask('automation', {}, PATIENCE);
      if (turn === this.turn) {
        this.known = known;
        this.become({ kind: 'ready' });
      }
    });
    this.wake(this.page.kind === 'job' ? 0 : this.pause());
  }

  /** Show another page. */
  open(page: Page): void {
    this.page = page;
    this.mistake = null;
    this.job = page.kind === 'job' ? (this.known?.jobs.find(job => job.id === page.job) ?? null) : null;
    this.lines = [];
    this.dropped = 0;
    this.over = false;
    this.changedSignal.emit();
    if (page.kind === 'lists' && this.visible) {
      void this.refresh();
    } else {
      this.wake(0);
    }
  }

  /** Start a runbook and show its job; the mistakes by parameter where it could not be. */
  async start(asked: IStart): Promise<Record<string, IMistake>> {
    let mistakes: Record<string, IMistake> = {};
    await this.doing(async channel => {
      const made = await channel.ask('start', asked, PATIENCE);
      mistakes = made.mistakes ?? {};
      if (made.job !== undefined) {
        this.open({ kind: 'job', job: made.job });
      }
    });
    return mistakes;
  }

  cancel(job: string): Promise<void> {
    return this.doing(async channel => void (await channel.ask('cancel', { job }, PATIENCE)));
  }

  /** Start a suspended job again, which agrees to what it asked. */
  resume(job: string): Promise<void> {
    return this.doing(async channel => {
      await channel.ask('resume', { job }, PATIENCE);
      this.over = false;
    });
  }

  /** The executed notebook of a job; null where there is none, and `mistake` says why. */
  async notebook(job: string): Promise<object | null> {
    let found: object | null = null;
    await this.doing(async channel => {
      found = await channel.ask('notebook', { job }, PATIENCE);
    });
    return found;
  }

  protected forget(): void {
    this.known = null;
    this.page = this.first;
  }

  protected get isStill(): boolean {
    const { kind } = this.page;
    return this.known === null || kind === 'form' || (kind === 'job' && this.over);
  }

  protected async follow(channel: Channel, turn: number): Promise<number> {
    if (this.page.kind === 'job') {
      return this.tail(channel, this.page);
    }
    if (Date.now() - this.lastRead >= SELDOM) {
      await this.refresh();
      return this.pause();
    }
    return this.list(channel, turn);
  }

  /** Read on what the job on show tells. */
  private async tail(channel: Channel, page: Page & { kind: 'job' }): Promise<number> {
    const after = this.lines[this.lines.length - 1]?.number ?? 0;
    const told = await channel.ask('job', { job: page.job, after }, PATIENCE);
    if (page !== this.page) {
      return 0;
    }
    const lines = [...this.lines, ...told.lines.filter(line => line.number > after)];
    const dropped = Math.max(0, lines.length - MOST_LINES);
    this.lines = lines.slice(dropped);
    this.dropped += dropped;
    this.job = told.job;
    this.over = told.over;
    this.become({ kind: 'ready' });
    return told.lines.length > 0 && !told.over ? SOON / 2 : SOON;
  }

  private async list(channel: Channel, turn: number): Promise<number> {
    const { jobs } = await channel.ask('jobs', {}, PATIENCE);
    if (turn === this.turn && this.known !== null) {
      this.known = { ...this.known, jobs };
      this.become({ kind: 'ready' });
    }
    return this.pause();
  }

  private pause(): number {
    const isQuiet = this.known?.jobs.every(job => ENDED.includes(job.state)) ?? true;
    return isQuiet ? SELDOM : LISTED;
  }

  /** When all lists were asked for, in ms since 1970; between these times only the jobs are. */
  private lastRead = 0;
}
