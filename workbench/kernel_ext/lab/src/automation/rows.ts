/** The lines of the automation panel's lists: what is known, what is unfolded and a filter in, lines out. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { leaf, sectionRows, type IRow, type ISection, type Toggle } from '../panel/sections';
import { ago, moment } from '../panel/texts';
import type { IAutomation, IJob, IRunbook } from '../protocol';
import type { Page } from './model';
import { markOf, stateWord } from './words';

/** What Enter does on a line. */
export type Action = Toggle | Page;

export function rowsOf(
  known: IAutomation,
  unfolded: ReadonlySet<string>,
  filter: string,
  trans: TranslationBundle
): IRow<Action>[] {
  const wanted = filter.trim().toLowerCase();
  const has = (...texts: string[]): boolean => wanted === '' || texts.some(text => text.toLowerCase().includes(wanted));
  const utc = (iso: string | null): string => (iso === null ? '' : `${moment(iso)} UTC`);
  const past = (iso: string | null): string =>
    iso === null ? '' : trans.__('%1 UTC, %2', moment(iso), ago(iso, Date.now(), trans));

  /** A line with a state, and under it what else is known of the thing. */
  const thing = (id: string, label: string, state: string, facts: [string, string | null][]): IRow<Action>[] => {
    const mark = markOf(state);
    const told = facts.filter(([, value]) => value !== null && value !== '');
    const head: IRow<Action> = {
      ...leaf<Action>(id, label, stateWord(state, trans), '', {
        title: told.map(([name, value]) => `${name}: ${value}`).join('\n'),
        action: { kind: 'toggle' },
        ...(mark ? { mark } : {})
      }),
      expanded: unfolded.has(id)
    };
    const under = told.map(([name, value]) => ({
      ...leaf<Action>(`${id} ${name}`, `${name}: ${value}`, '', '', { title: '' }),
      level: 3 as const
    }));
    return head.expanded ? [head, ...under] : [head];
  };

  const sections: ISection<Action>[] = [
    {
      id: 'runbooks',
      title: trans.__('Runbooks'),
      empty: trans.__('None yet: "workbench runbook import FILE.ipynb" brings a notebook in.'),
      rows: (known.runbooks ?? [])
        .filter(runbook => has(runbook.name, runbook.description))
        .map(runbook => runbookRow(runbook, trans))
    },
    {
      id: 'jobs',
      title: trans.__('Jobs'),
      empty: trans.__('Nothing was started yet.'),
      rows: known.jobs.filter(job => has(job.runbook, job.state, job.id)).map(job => jobRow(job, trans))
    },
    {
      id: 'schedules',
      title: trans.__('Schedules'),
      empty: trans.__('None yet: "workbench schedule create" makes one.'),
      rows: (known.schedules ?? [])
        .filter(one => has(one.name, one.runbook))
        .flatMap(one =>
          thing(`schedule ${one.name}`, one.name, one.state, [
            [trans.__('Runbook'), one.runbook],
            [trans.__('When'), `${one.when} (${one.zone})`],
            [trans.__('Next'), one.next === null ? null : `${moment(one.next)} ${one.zone}`],
            [trans.__('Last mistake'), one.last_error]
          ])
        )
    },
    {
      id: 'webhooks',
      title: trans.__('Webhooks'),
      empty: trans.__('None yet: "workbench webhook create" makes one.'),
      rows: (known.webhooks ?? [])
        .filter(one => has(one.name, one.runbook))
        .flatMap(one =>
          thing(`webhook ${one.name}`, one.name, one.state, [
            [trans.__('Runbook'), one.runbook],
            [trans.__('Expires'), utc(one.expires)],
            [trans.__('Last call'), past(one.last_called)],
            [trans.__('Last mistake'), one.last_error]
          ])
        )
    },
    {
      id: 'assets',
      title: trans.__('Assets'),
      empty: trans.__('None yet: "workbench asset variable NAME" makes one.'),
      rows: (known.assets ?? [])
        .filter(one => has(one.name, one.kind, one.description))
        .flatMap(one =>
          thing(`asset ${one.kind} ${one.name}`, one.name, one.kind, [
            [trans.__('About'), one.description],
            [trans.__('Type'), one.type],
            [trans.__('Encrypted'), one.encrypted ? trans.__('yes') : trans.__('no')],
            [trans.__('For'), one.runbooks.length > 0 ? one.runbooks.join(', ') : trans.__('all runbooks')],
            [trans.__('Changed'), past(one.changed)]
          ])
        )
    },
    {
      id: 'workers',
      title: trans.__('Workers'),
      empty: trans.__('None yet: the service starts its own with the first job.'),
      rows: (known.workers ?? [])
        .filter(one => has(one.name, one.group))
        .flatMap(one =>
          thing(`worker ${one.group} ${one.name}`, `${one.name} (${one.group})`, one.state, [
            [trans.__('Jobs'), trans.__('%1 of %2', one.running, one.slots)],
            [trans.__('Isolation'), one.isolation],
            [trans.__('Version'), one.version],
            [trans.__('Heard of'), past(one.seen)]
          ])
        )
    }
  ];
  const lists: Record<string, unknown> = { ...known };
  return sections
    .filter(section => lists[section.id] !== null)
    .flatMap(section => sectionRows<Action>(section, unfolded, wanted));
}

function runbookRow(runbook: IRunbook, trans: TranslationBundle): IRow<Action> {
  const id = `runbook ${runbook.name}`;
  if (!runbook.published) {
    return leaf(id, runbook.name, trans.__('draft'), '', { title: runbook.description });
  }
  return leaf<Action>(id, runbook.name, '', trans.__('Start'), {
    title: runbook.description,
    action: { kind: 'form', runbook: runbook.name }
  });
}

function jobRow(job: IJob, trans: TranslationBundle): IRow<Action> {
  const when = job.ended ?? job.started ?? job.created;
  const told = [
    trans.__('%1 UTC, %2', moment(when), ago(when, Date.now(), trans)),
    trans.__('Started by: %1', job.trigger),
    job.question === '' ? job.error : job.question
  ];
  const mark = markOf(job.state);
  return leaf<Action>(`job ${job.id}`, job.runbook, stateWord(job.state, trans), trans.__('Show'), {
    title: told.filter(text => text !== '').join('\n'),
    action: { kind: 'job', job: job.id },
    ...(mark ? { mark } : {})
  });
}
