/** One alert: what was measured, since when, what became of it, and what a person can do about it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fact } from '../panel/fact';
import { ago, duration, grouped, moment } from '../panel/texts';
import type { IAlertEvent, Response } from '../protocol';
import type { AlertsModel } from './model';
import { markOfSeverity, measured, severityWord, stateWord } from './words';

interface IProps {
  model: AlertsModel;
  openRecords: (alert: string) => void;
  trans: TranslationBundle;
}

export function AlertPage({ model, openRecords, trans }: IProps): JSX.Element | null {
  const [comment, setComment] = React.useState('');
  const box = React.useRef<HTMLTextAreaElement>(null);
  const hasActed = React.useRef(false);
  // A button that was pressed goes with the state that it ended, and would take the focus with it.
  React.useEffect(() => {
    if (hasActed.current && document.activeElement === document.body) {
      box.current?.focus();
    }
  }, [model.alert?.alert.response]);
  if (model.alert === null) {
    return (
      <p className="wb-Panel-note" role="status">
        {model.state.kind === 'ready' ? trans.__('Reading the alert …') : ''}
      </p>
    );
  }
  const { alert, history, rule } = model.alert;
  const isFiring = alert.state === 'Firing';
  const until = alert.resolved === null ? Date.now() : Date.parse(alert.resolved);
  const past = (iso: string): string => trans.__('%1 UTC, %2', moment(iso), ago(iso, Date.now(), trans));
  const respond = async (how: Response): Promise<void> => {
    hasActed.current = true;
    if (await model.respond(alert.id, how, comment)) {
      setComment('');
    }
  };
  return (
    <div className="wb-Paged-body">
      <div className="wb-Job-state" role="status">
        <span className={`wb-mark wb-mod-${isFiring ? markOfSeverity(alert.severity) : 'quiet'}`}>
          {`${stateWord(alert.state, trans)}, ${severityWord(alert.severity, trans)}`}
        </span>
        <span className="wb-Job-time">{duration(until - Date.parse(alert.fired), trans)}</span>
      </div>
      <dl className="wb-Job-facts">
        {Object.entries(alert.dimensions).map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
        <Fact
          name={trans.__('Measured')}
          value={rule === null ? measured(alert.value) : trans.__('%1, fires at %2', measured(alert.value), rule.when)}
        />
        <Fact name={trans.__('Records')} value={grouped(alert.count)} />
        <Fact name={trans.__('Fired')} value={past(alert.fired)} />
        {alert.resolved !== null && <Fact name={trans.__('Resolved')} value={past(alert.resolved)} />}
        {alert.reason !== '' && <Fact name={trans.__('Reason')} value={alert.reason} />}
        <Fact
          name={trans.__('Response')}
          value={
            alert.response === 'New'
              ? trans.__('Nobody yet')
              : trans.__('%1 by %2', stateWord(alert.response, trans), alert.responder)
          }
        />
      </dl>
      <div className="wb-Job-act">
        <button className="jp-mod-styled" onClick={() => model.open({ kind: 'rule', rule: alert.rule })} disabled={rule === null}>
          {rule === null ? trans.__('Rule removed') : trans.__('Rule')}
        </button>
        <button className="jp-mod-styled" onClick={() => openRecords(alert.id)} disabled={rule === null}>
          {trans.__('Records')}
        </button>
      </div>
      <div className="wb-Alert-answer">
        <label className="wb-Form-label" htmlFor="wb-alert-comment">
          {trans.__('Comment')}
        </label>
        <textarea
          ref={box}
          id="wb-alert-comment"
          className="jp-mod-styled"
          rows={2}
          value={comment}
          onChange={event => setComment(event.target.value)}
        />
        <div className="wb-Form-act">
          <button className="jp-mod-styled" disabled={comment.trim() === ''} onClick={() => void respond('comment')}>
            {trans.__('Comment')}
          </button>
          {alert.response !== 'Closed' && (
            <button className="jp-mod-styled" onClick={() => void respond('close')}>
              {trans.__('Close')}
            </button>
          )}
          {alert.response === 'New' && (
            <button className="jp-mod-styled jp-mod-accept" onClick={() => void respond('acknowledge')}>
              {trans.__('Acknowledge')}
            </button>
          )}
        </div>
      </div>
      <h3 className="wb-Alert-head">{trans.__('History')}</h3>
      {history.length === 0 && <p className="wb-Alert-none">{trans.__('Its records are not stored yet.')}</p>}
      <ol className="wb-Alert-history" aria-label={trans.__('History of the alert')}>
        {history.map((one, at) => (
          <Event key={at} one={one} trans={trans} />
        ))}
      </ol>
    </div>
  );
}

function Event({ one, trans }: { one: IAlertEvent; trans: TranslationBundle }): JSX.Element {
  const who = one.by === '' ? '' : trans.__(' by %1', one.by);
  const value = one.change === 'Fired' ? `: ${measured(one.value)}` : '';
  return (
    <li>
      <span className="wb-Lines-kind">{`${moment(one.time)} UTC`}</span>
      <span>{`${stateWord(one.change, trans)}${who}${value}`}</span>
      {one.comment !== '' && <span className="wb-Alert-comment">{one.comment}</span>}
      {one.detail !== '' && <span className="wb-Alert-detail">{one.detail}</span>}
    </li>
  );
}
