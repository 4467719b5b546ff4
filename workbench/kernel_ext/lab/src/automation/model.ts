/**
 * What the automation panel knows of runbooks and jobs, and which page of it is open.
 *
 * It asks the notebook's kernel, which asks the service. While the panel can be seen it asks again: soon where a job
 * runs, seldom else; a job that is over is not asked for any more, and while a form is filled in nothing is.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Channel } from '../channel';
import type { Channels } from '../channels';
import type { State } from '../panel/model';
import { Refused, type IAutomation, type IJob, type ILine, type IMistake, type IStart } from '../protocol';

const PATIENCE = 30_000;
/** Milliseconds until the next question: of a job that is shown, of the list with a job that runs, of a quiet list. */
const SOON = 1_000;
const LISTED = 2_000;
const SELDOM = 10_000;
/** Lines on show: a job can tell without end. */
const MOST_LINES = 2_000;
const ENDED = ['Completed', 'Failed', 'Stopped'];

export type Page = { kind: 'lists' } | { kind: 'form'; runbook: string } | { kind: 'job'; job: string };

export class AutomationModel {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly channels: Channels
  ) {
    const stale = (_: Channels, panel: NotebookPanel | null): void => {
      if (panel === tracker.currentWidget) {
        this.outdated();
      }
    };
    channels.changed.connect(stale);
    channels.ran.connect(stale);
    document.addEventListener('visibilitychange', () => this.wake(0));
  }

  state: State = { kind: 'no notebook' };
  page: Page = { kind: 'lists' };
  known: IAutomation | null = null;
  job: IJob | null = null;
  lines: ILine[] = [];
  /** Lines that are no longer on show. */
  dropped = 0;
  /** Whether the job on show tells nothing more. */
  over = false;
  /** Why the last button of the page did nothing. */
  mistake: IMistake | null = null;

  /** Emitted when there is something else to show. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** While the panel can't be seen, nothing is asked. */
  set visible(visible: boolean) {
    this.isVisible = visible;
    if (visible && this.isOutdated) {
      void this.refresh();
    } else {
      this.wake(0);
    }
  }

  /** Ask for everything anew. */
  async refresh(): Promise<void> {
    this.isOutdated = false;
    this.lastRead = Date.now();
    const turn = ++this.turn;
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
    if (page.kind === 'lists' && this.isVisible) {
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

  /** Load the extension in the notebook in front. */
  async load(): Promise<void> {
    this.become({ kind: 'loading' });
    await this.asking(this.turn, async () => {
      await this.channels.of(this.tracker.currentWidget)?.load();
    });
  }

  /** The open connection; says what is missing where there is none. */
  private channel(): Channel | null {
    const panel = this.tracker.currentWidget;
    const channel = this.channels.of(panel);
    if (channel?.isOpen) {
      return channel;
    }
    this.become({ kind: panel === null ? 'no notebook' : channel === null ? 'no kernel' : 'not loaded' });
    return null;
  }

  /** Do what a button asks; its mistake is shown on the page. */
  private async doing(act: (channel: Channel) => Promise<void>): Promise<void> {
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

  private async asking(turn: number, ask: () => Promise<void>): Promise<void> {
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

  /** Look again after some milliseconds, and then again as long as the panel can be seen. */
  private wake(after: number): void {
    window.clearTimeout(this.timer);
    const { kind } = this.page;
    const isDone = kind === 'form' || (kind === 'job' && this.over);
    if (!this.isVisible || document.hidden || this.known === null || isDone) {
      return;
    }
    this.timer = window.setTimeout(() => void this.look(), after);
  }

  private async look(): Promise<void> {
    const channel = this.channel();
    if (channel === null) {
      return;
    }
    if (this.page.kind === 'lists' && Date.now() - this.lastRead >= SELDOM) {
      return this.refresh();
    }
    const turn = ++this.turn;
    let pause = SELDOM;
    await this.asking(turn, async () => {
      pause = this.page.kind === 'job' ? await this.follow(channel, this.page) : await this.list(channel, turn);
    });
    if (turn === this.turn) {
      this.wake(pause);
    }
  }

  /** Read on what the job on show tells. */
  private async follow(channel: Channel, page: Page & { kind: 'job' }): Promise<number> {
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

  private outdated(): void {
    this.isOutdated = true;
    const panel = this.tracker.currentWidget;
    if (panel !== this.shown) {
      // Another notebook may be of another workspace.
      this.shown = panel;
      this.known = null;
      this.page = { kind: 'lists' };
    }
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
  private timer = 0;
  /** When all lists were asked for, in ms since 1970; between these times only the jobs are. */
  private lastRead = 0;
}
