/**
 * A connection to the language service of one kernel: questions in, promises of answers out.
 *
 * JupyterLab gives the comm a subshell, so answers come while a cell runs. A kernel without subshells answers
 * between cells; every question gives up after a time, so that nothing waits for it.
 */
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { NoAnswer, Refused, TARGET, type IQuestions } from './protocol';

const PATIENCE = 2_000;
/** Cells that may have loaded the extension: worth another attempt to connect. */
const LOADS = /load_ext|workbench/;

interface IWaiting {
  resolve: (answer: never) => void;
  reject: (reason: Error) => void;
  timer: number;
}

/** What the concrete connection has and its interface does not tell of. */
interface IStatusKeeper {
  _updateStatus?: (status: Kernel.Status) => void;
}

interface ISubshell {
  subshellStarted?: Promise<void>;
}

export class Channel implements IDisposable {
  constructor(private readonly kernel: Kernel.IKernelConnection) {
    kernel.statusChanged.connect(this.onStatus, this);
    kernel.iopubMessage.connect(this.onMessage, this);
    kernel.disposed.connect(this.dispose, this);
    void this.connect();
  }

  /** Whether the kernel has the extension loaded and answers. */
  get isOpen(): boolean {
    return this.ready;
  }

  get isDisposed(): boolean {
    return this.gone;
  }

  /** Emitted when the connection opens or closes. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** Emitted when a cell was run, which may have changed variables or tables. */
  get ran(): ISignal<this, void> {
    return this.ranSignal;
  }

  /** Ask; rejects with `Refused` where the kernel tells of a mistake, with `NoAnswer` after `patience` ms. */
  ask<Q extends keyof IQuestions>(
    ask: Q,
    rest: IQuestions[Q][0],
    patience = PATIENCE
  ): Promise<IQuestions[Q][1]> {
    const comm = this.comm;
    if (!this.ready || comm === null) {
      return Promise.reject(new NoAnswer('not connected'));
    }
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => {
        this.waiting.delete(id);
        reject(new NoAnswer('no answer in time'));
      }, patience);
      this.waiting.set(id, { resolve, reject, timer });
      comm.send({ id, ask, ...rest } as JSONObject);
    });
  }

  /** Run the line that loads the extension. */
  async load(): Promise<void> {
    const done = await this.kernel.requestExecute({ code: '%load_ext workbench', store_history: false }).done;
    if (done.content.status === 'error') {
      throw new Refused(done.content.ename, done.content.evalue, null);
    }
  }

  dispose(): void {
    if (this.gone) {
      return;
    }
    this.gone = true;
    Signal.clearData(this);
    this.close();
  }

  private async connect(): Promise<void> {
    if (this.comm !== null || this.gone || !this.kernel.handleComms) {
      return;
    }
    const comm = this.kernel.createComm(TARGET);
    this.comm = comm;
    comm.onMsg = message => this.hear(message.content.data);
    comm.onClose = () => this.close();
    try {
      await this.kernel.info;
      if (this.kernel.supportsSubshells) {
        await (comm as ISubshell).subshellStarted;
      }
      if (this.comm === comm) {
        await comm.open().done;
      }
    } catch {
      // The kernel went away meanwhile, or takes no comms; the next start connects anew.
      this.close();
    }
  }

  private close(): void {
    this.running = false;
    const comm = this.comm;
    const wasReady = this.ready;
    this.comm = null;
    this.ready = false;
    for (const one of this.waiting.values()) {
      window.clearTimeout(one.timer);
      one.reject(new NoAnswer('closed'));
    }
    this.waiting.clear();
    if (comm !== null && !comm.isDisposed) {
      comm.dispose();
    }
    if (wasReady && !this.gone) {
      this.changedSignal.emit();
    }
    if (this.again) {
      this.again = false;
      void this.connect();
    }
  }

  private hear(data: JSONObject): void {
    if (data['ready'] === true) {
      this.ready = true;
      this.again = false;
      this.changedSignal.emit();
      return;
    }
    const one = this.waiting.get(Number(data['id']));
    if (!one) {
      return;
    }
    this.waiting.delete(Number(data['id']));
    window.clearTimeout(one.timer);
    const error = data['error'] as { code: string; message: string; hint: string | null } | undefined;
    if (error) {
      one.reject(new Refused(error.code, error.message, error.hint));
    } else {
      one.resolve(data['answer'] as never);
    }
  }

  private onStatus(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.close();
    }
  }

  private onMessage(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    const parent = message.parent_header;
    if (message.header.msg_type === 'execute_input') {
      const code = (message as KernelMessage.IExecuteInputMsg).content.code;
      this.loading = LOADS.test(code);
      return;
    }
    if (message.header.msg_type !== 'status' || !('msg_type' in parent)) {
      return;
    }
    const state = (message as KernelMessage.IStatusMsg).content.execution_state;
    if (parent.msg_type === 'execute_request') {
      this.running = state === 'busy';
      if (state === 'idle') {
        this.onRan();
      }
    } else if (this.running && state === 'idle') {
      // An answer on a subshell ends in "idle", which JupyterLab takes for the whole kernel (its issue 10701).
      (this.kernel as IStatusKeeper)._updateStatus?.('busy');
    }
  }

  private onRan(): void {
    if (this.ready) {
      this.ranSignal.emit();
    } else if (this.loading) {
      // An attempt that is still on its way may have come too early.
      this.again = this.comm !== null;
      void this.connect();
    }
    this.loading = false;
  }

  private readonly changedSignal = new Signal<this, void>(this);
  private readonly ranSignal = new Signal<this, void>(this);
  private readonly waiting = new Map<number, IWaiting>();
  private comm: Kernel.IComm | null = null;
  private ready = false;
  private loading = false;
  private again = false;
  private running = false;
  private gone = false;
  private last = 0;
}
