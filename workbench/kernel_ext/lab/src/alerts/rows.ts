/** The lines of the panel's lists: alerts that fire first, then rules, then alerts that are over. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { leaf, sectionRows, type IRow, type ISection, type Toggle } from '../panel/sections';
import { ago, moment } from '../panel/texts';
import type { IAlert, IAlertRule, IAlerts } from '../protocol';
import type { Page } from './model';
import { markOfSeverity, markOfState, measured, nameOf, severityWord, stateOf, stateWord } from './words';

/** What Enter does on a line. */
export type Action = Toggle | Page;

export function rowsOf(
  known: IAlerts,
  unfolded: ReadonlySet<string>,
  filter: string,
  trans: TranslationBundle
): IRow<Action>[] {
  const wanted = filter.trim().toLowerCase();
  const has = (...texts: string[]): boolean => wanted === '' || texts.some(text => text.toLowerCase().includes(wanted));
  const alerts = (found: IAlert[] | null): IRow<Action>[] =>
    (found ?? [])
      .filter(alert => has(nameOf(alert), alert.severity, alert.id))
      .map(alert => alertRow(alert, trans));
  const sections: ISection<Action>[] = [
    { id: 'firing', title: trans.__('Firing'), empty: trans.__('Nothing fires.'), rows: alerts(known.firing) },
    {
      id: 'rules',
      title: trans.__('Rules'),
      empty: trans.__('None yet: "New rule" above makes one.'),
      rows: (known.rules ?? [])
        .filter(rule => has(rule.name, rule.description, stateOf(rule)))
        .map(rule => ruleRow(rule, trans))
    },
    { id: 'past', title: trans.__('Over'), empty: trans.__('No alert is over yet.'), rows: alerts(known.past) }
  ];
  const lists: Record<string, unknown> = { ...known };
  return sections
    .filter(section => lists[section.id] !== null)
    .flatMap(section => sectionRows<Action>(section, unfolded, wanted));
}

function alertRow(alert: IAlert, trans: TranslationBundle): IRow<Action> {
  const isFiring = alert.state === 'Firing';
  const since = isFiring ? alert.fired : (alert.resolved ?? alert.fired);
  const told = [
    ...Object.entries(alert.dimensions).map(([name, value]) => `${name}: ${value}`),
    trans.__('Measured: %1', measured(alert.value)),
    `${stateWord(alert.state, trans)}: ${moment(since)} UTC, ${ago(since, Date.now(), trans)}`,
    alert.response === 'New' ? '' : `${stateWord(alert.response, trans)}: ${alert.responder}`
  ];
  const word = isFiring ? severityWord(alert.severity, trans) : stateWord(alert.state, trans);
  return leaf<Action>(`alert ${alert.id}`, nameOf(alert), word, trans.__('Show'), {
    title: [nameOf(alert), ...told].filter(text => text !== '').join('\n'),
    action: { kind: 'alert', alert: alert.id },
    mark: isFiring ? markOfSeverity(alert.severity) : 'quiet'
  });
}

function ruleRow(rule: IAlertRule, trans: TranslationBundle): IRow<Action> {
  const state = stateOf(rule);
  const told = [
    rule.description,
    rule.last === null
      ? trans.__('Not evaluated yet')
      : trans.__('Evaluated: %1 UTC, %2', moment(rule.last), ago(rule.last, Date.now(), trans)),
    rule.error
  ];
  return leaf<Action>(`rule ${rule.name}`, rule.name, stateWord(state, trans), trans.__('Show'), {
    title: [rule.name, ...told].filter(text => text !== '').join('\n'),
    action: { kind: 'rule', rule: rule.name },
    mark: markOfState(state)
  });
}
