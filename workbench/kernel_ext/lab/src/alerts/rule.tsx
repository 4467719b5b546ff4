/** One rule: how it is, what its last evaluations measured, the dimensions it watches, its alerts. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fact } from '../panel/fact';
import { ago, grouped, moment } from '../panel/texts';
import type { IAlert, IAlertRulePage, IAlertSeries } from '../protocol';
import type { AlertsModel } from './model';
import { Strip } from './strip';
import { markOfState, measured, severityWord, stateOf, stateWord } from './words';

interface IProps {
  model: AlertsModel;
  edit: (rule: string) => void;
  trans: TranslationBundle;
}

export function RulePage({ model, edit, trans }: IProps): JSX.Element | null {
  const { rule } = model;
  if (rule === null) {
    return (
      <p className="wb-Panel-note" role="status">
        {model.state.kind === 'ready' ? trans.__('Reading the rule …') : ''}
      </p>
    );
  }
  const state = stateOf(rule);
  return (
    <div className="wb-Paged-body">
      <div className="wb-Job-state" role="status">
        <span className={`wb-mark wb-mod-${markOfState(state)}`}>{stateWord(state, trans)}</span>
        <span className="wb-Job-time">{severityWord(rule.severity, trans)}</span>
      </div>
      {rule.description !== '' && <p className="wb-Alert-about">{rule.description}</p>}
      {rule.error !== '' && <p className="wb-Mistake">{rule.error}</p>}
      <Strip evaluations={rule.evaluations} terms={rule} trans={trans} />
      <dl className="wb-Job-facts">
        <Fact name={trans.__('When')} value={rule.when} />
        {rule.periods > 1 && (
          <Fact name={trans.__('Fires')} value={trans.__('%1 of %2 violated', rule.failing, rule.periods)} />
        )}
        <Fact name={trans.__('Every')} value={trans.__('%1, over %2', rule.every, rule.over)} />
        <Fact name={trans.__('Next')} value={rule.next === null ? '–' : `${moment(rule.next)} UTC`} />
      </dl>
      <div className="wb-Job-act">
        <button
          className="jp-mod-styled"
          onClick={() => void model.switchRule(rule.name, rule.enabled ? 'disable' : 'enable')}
        >
          {rule.enabled ? trans.__('Disable') : trans.__('Enable')}
        </button>
        {rule.enabled && (
          <button className="jp-mod-styled" onClick={() => void model.switchRule(rule.name, 'run')}>
            {trans.__('Evaluate now')}
          </button>
        )}
        <button className="jp-mod-styled jp-mod-accept" onClick={() => edit(rule.name)}>
          {trans.__('Edit')}
        </button>
      </div>
      <Series rule={rule} model={model} trans={trans} />
      <h3 className="wb-Alert-head">{trans.__('Alerts, by time in UTC')}</h3>
      {rule.alerts.length === 0 && <p className="wb-Alert-none">{trans.__('It has not fired yet.')}</p>}
      <ul className="wb-Alert-list" aria-label={trans.__('Alerts of the rule')}>
        {rule.alerts.map(alert => (
          <li key={alert.id}>
            <button className="wb-Alert-open jp-mod-minimal" onClick={() => model.open({ kind: 'alert', alert: alert.id })}>
              {moment(alert.fired)}
            </button>
            <span className="wb-Alert-what" title={dimensionsOf(alert)}>
              {dimensionsOf(alert)}
            </span>
            <span className={`wb-mark wb-mod-${alert.state === 'Firing' ? 'bad' : 'quiet'}`}>
              {stateWord(alert.state, trans)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What is watched apart; a rule without dimensions has nothing to list. */
function Series({ rule, model, trans }: { rule: IAlertRulePage; model: AlertsModel; trans: TranslationBundle }): JSX.Element | null {
  if (rule.series.every(one => Object.keys(one.dimensions).length === 0)) {
    return null;
  }
  const row = (one: IAlertSeries): JSX.Element => {
    const name = Object.values(one.dimensions).join(', ');
    return (
      <tr key={JSON.stringify(one.dimensions)}>
        <td title={Object.entries(one.dimensions).map(([key, value]) => `${key}: ${value}`).join('\n')}>
          {one.alert_id === '' ? (
            name
          ) : (
            <button className="wb-Alert-open jp-mod-minimal" onClick={() => model.open({ kind: 'alert', alert: one.alert_id })}>
              {name}
            </button>
          )}
        </td>
        <td className="wb-mod-number">{measured(one.value)}</td>
        <td title={`${moment(one.since)} UTC, ${ago(one.since, Date.now(), trans)}`}>
          <span className={`wb-mark wb-mod-${markOfState(one.state)}`}>{stateWord(one.state, trans)}</span>
        </td>
      </tr>
    );
  };
  return (
    <>
      <h3 className="wb-Alert-head">{trans.__('Watched apart')}</h3>
      <table className="wb-Alert-table">
        <tbody>{rule.series.map(row)}</tbody>
      </table>
      {rule.all_series > rule.series.length && (
        <p className="wb-Alert-none">{trans.__('The first %1 of %2.', rule.series.length, grouped(rule.all_series))}</p>
      )}
    </>
  );
}

function dimensionsOf(alert: IAlert): string {
  return Object.values(alert.dimensions).join(', ');
}
