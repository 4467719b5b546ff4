/** One job: its state, how far it is, what it tells as it comes, and what a person can do about it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fact } from '../panel/fact';
import { Mistake } from '../panel/mistake';
import { duration, grouped, moment, sentence } from '../panel/texts';
import type { IJob, ILine } from '../protocol';
import type { AutomationModel } from './model';
import { markOf, stateWord, streamWord } from './words';

interface IProps {
  model: AutomationModel;
  openNotebook: (job: IJob) => void;
  trans: TranslationBundle;
}

const ENDED = ['Completed', 'Failed', 'Stopped'];
/** How near to its end a list of lines is for new lines to be followed, in pixels. */
const NEAR = 40;

export function JobPage({ model, openNotebook, trans }: IProps): JSX.Element | null {
  const { job } = model;
  const lines = React.useRef<HTMLDivElement>(null);
  const hasActed = React.useRef(false);
  // A button that was pressed goes with the state that it ended, and would take the focus with it.
  React.useEffect(() => {
    if (hasActed.current && document.activeElement === document.body) {
      lines.current?.focus();
    }
  }, [job?.state]);
  const act = (does: (job: string) => Promise<void>): void => {
    hasActed.current = true;
    if (job !== null) {
      void does(job.id);
    }
  };
  if (job === null) {
    return (
      <p className="wb-Panel-note" role="status">
        {model.mistake === null ? trans.__('Reading the job …') : ''}
      </p>
    );
  }
  const isEnded = ENDED.includes(job.state);
  const isSuspended = job.state === 'Suspended';
  return (
    <>
      <div className="wb-Job-state" role="status">
        <span className={`wb-mark wb-mod-${markOf(job.state) ?? 'quiet'}`}>{stateWord(job.state, trans)}</span>
        <span className="wb-Job-time">{lasted(job, trans)}</span>
      </div>
      <Progress lines={model.lines} isEnded={isEnded} trans={trans} />
      <dl className="wb-Job-facts">
        <Fact name={trans.__('Started')} value={`${moment(job.started ?? job.created)} UTC`} />
        <Fact name={trans.__('By')} value={job.trigger} />
        {job.worker !== '' && (
          <Fact name={trans.__('Worker')} value={trans.__('%1, try %2', job.worker, job.attempt)} />
        )}
        {Object.entries(job.parameters).map(([name, value]) => (
          <Fact key={name} name={name} value={JSON.stringify(value)} />
        ))}
      </dl>
      {job.question !== '' && (
        <div className="wb-Job-question" role="group" aria-label={trans.__('The job asks')}>
          <p className="wb-Job-ask">{job.question}</p>
          <p className="wb-Form-help">{trans.__('Resuming agrees, and the job goes on over its committed steps.')}</p>
        </div>
      )}
      {job.question === '' && job.error !== '' && (
        <p className="wb-Mistake">{sentence(job.error_code, job.error, null)}</p>
      )}
      <Mistake mistake={model.mistake} silent={trans.__('The kernel gave no answer in time.')} />
      <div className="wb-Job-act">
        {!isEnded && job.state !== 'Stopping' && (
          <button className="jp-mod-styled" onClick={() => act(number => model.cancel(number))}>
            {trans.__('Cancel job')}
          </button>
        )}
        {(isEnded || isSuspended) && job.attempt > 0 && (
          <button className="jp-mod-styled" onClick={() => openNotebook(job)}>
            {trans.__('Executed notebook')}
          </button>
        )}
        {isEnded && (
          <button className="jp-mod-styled" onClick={() => model.open({ kind: 'form', runbook: job.runbook })}>
            {trans.__('Start again …')}
          </button>
        )}
        {isSuspended && (
          <button className="jp-mod-styled jp-mod-accept" onClick={() => act(number => model.resume(number))}>
            {job.question === '' ? trans.__('Resume') : trans.__('Agree and resume')}
          </button>
        )}
      </div>
      <Lines model={model} list={lines} trans={trans} />
    </>
  );
}

/** How far it says that it is; the place is kept where it says nothing. */
function Progress({ lines, isEnded, trans }: { lines: ILine[]; isEnded: boolean; trans: TranslationBundle }): JSX.Element {
  const told = [...lines].reverse().find(line => line.stream === 'Progress')?.message ?? '';
  const found = /^\s*(\d+)\s*%\s*([^]*)$/.exec(told);
  const percent = Math.min(100, Number(found?.[1] ?? 0));
  return (
    <div className="wb-Job-progress">
      {found && (
        <>
          <div
            className={`wb-Job-bar${isEnded ? ' wb-mod-ended' : ''}`}
            role="progressbar"
            aria-label={trans.__('Progress')}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={percent}
          >
            <div style={{ width: `${percent}%` }} />
          </div>
          <span className="wb-Job-far">{`${percent} % ${found[2] ?? ''}`.trim()}</span>
        </>
      )}
    </div>
  );
}

interface ILinesProps {
  model: AutomationModel;
  list: React.RefObject<HTMLDivElement>;
  trans: TranslationBundle;
}

function Lines({ model, list, trans }: ILinesProps): JSX.Element {
  const isFollowed = React.useRef(true);
  React.useLayoutEffect(() => {
    if (list.current && isFollowed.current) {
      list.current.scrollTop = list.current.scrollHeight;
    }
  }, [model.lines]);
  return (
    <div
      ref={list}
      className="wb-Lines"
      role="log"
      aria-label={trans.__('What the job tells')}
      tabIndex={0}
      onScroll={event => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        isFollowed.current = scrollHeight - scrollTop - clientHeight < NEAR;
      }}
    >
      {model.dropped > 0 && (
        <p className="wb-Lines-none">
          {trans._n(
            '%1 earlier line is in the table JobStream.',
            '%1 earlier lines are in the table JobStream.',
            model.dropped,
            grouped(model.dropped)
          )}
        </p>
      )}
      {model.lines.length === 0 && (
        <p className="wb-Lines-none">{model.over ? trans.__('It told nothing.') : trans.__('Nothing told yet.')}</p>
      )}
      {model.lines.map(line => (
        <div key={line.number} className={`wb-Lines-line wb-mod-${line.stream}`} title={`${moment(line.time)} UTC`}>
          <span className="wb-Lines-kind">
            {moment(line.time).slice(11)} {streamWord(line.stream, trans)}
          </span>
          <span className="wb-Lines-text">{line.message.replace(/\n$/, '')}</span>
        </div>
      ))}
    </div>
  );
}

function lasted(job: IJob, trans: TranslationBundle): string {
  if (job.started === null) {
    return '';
  }
  const until = job.ended === null ? Date.now() : Date.parse(job.ended);
  return duration(until - Date.parse(job.started), trans);
}
