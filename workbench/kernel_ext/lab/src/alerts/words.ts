/** States, severities and answers of people in words and as meanings of colour; values and spans as text. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Mark } from '../panel/sections';
import type { IAlert, IAlertRule } from '../protocol';

const STATES: Record<string, Mark> = {
  Normal: 'good', Resolved: 'good', Pending: 'warning', NoData: 'warning', Firing: 'bad', Error: 'bad',
  disabled: 'quiet'
};
const SEVERITIES: Record<string, Mark> = {
  Critical: 'bad', Error: 'bad', Warning: 'warning', Informational: 'live', Verbose: 'quiet'
};

/** The state of a rule; one that is off has none. */
export function stateOf(rule: Pick<IAlertRule, 'enabled' | 'state'>): string {
  return rule.enabled ? rule.state : 'disabled';
}

export function markOfState(state: string): Mark {
  return STATES[state] ?? 'quiet';
}

export function markOfSeverity(severity: string): Mark {
  return SEVERITIES[severity] ?? 'quiet';
}

export function stateWord(state: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    Normal: trans.__('Normal'), Pending: trans.__('Pending'), Firing: trans.__('Firing'),
    Resolved: trans.__('Resolved'), NoData: trans.__('No data'), Error: trans.__('Failed'),
    disabled: trans.__('Disabled'), OK: trans.__('Measured'),
    New: trans.__('New'), Acknowledged: trans.__('Acknowledged'), Closed: trans.__('Closed'),
    Fired: trans.__('Fired'), Commented: trans.__('Commented')
  };
  return words[state] ?? state;
}

export function severityWord(severity: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    Critical: trans.__('Critical'), Error: trans.__('Error'), Warning: trans.__('Warning'),
    Informational: trans.__('Information'), Verbose: trans.__('Verbose')
  };
  return words[severity] ?? severity;
}

/** What an alert is about: its rule, and the values that are watched apart. */
export function nameOf(alert: IAlert): string {
  const values = Object.values(alert.dimensions);
  return values.length === 0 ? alert.rule : `${alert.rule}: ${values.join(', ')}`;
}

/** A measured value with at most six digits behind the point, thousands apart; a dash for none. */
export function measured(value: number | null): string {
  if (value === null) {
    return '–';
  }
  const isPlain = Number.isFinite(value) && Math.abs(value) < 1e15;
  return isPlain ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : String(value);
}
