/** The lines of the side panel's tree: what is known, what is unfolded and a filter in; lines in their order out. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellOf, named } from '../magicline';
import type { IFunction, IPast, ITable } from '../protocol';
import type { PanelModel } from './model';
import { leaf, sectionRows, type IRow, type ISection, type Toggle } from './sections';
import { ago, grouped, moment } from './texts';

/** What Enter does on a line. */
export type Action =
  | Toggle
  /** A new cell with this code, run at once or left to be changed. */
  | { kind: 'cell'; code: string; run: boolean }
  /** The text at the cursor of the active cell. */
  | { kind: 'insert'; text: string };

export function rowsOf(
  model: PanelModel,
  unfolded: ReadonlySet<string>,
  filter: string,
  trans: TranslationBundle
): IRow<Action>[] {
  const wanted = filter.trim().toLowerCase();
  const overview = model.overview;
  if (overview === null) {
    return [];
  }
  const has = (...texts: string[]): boolean => wanted === '' || texts.some(text => text.toLowerCase().includes(wanted));
  const sections: ISection<Action>[] = [
    {
      id: 'tables',
      title: trans.__('Tables'),
      empty: trans.__('No tables yet: they come with the first records, by the agent or "workbench import".'),
      rows: overview.tables
        .filter(table => has(table.name, ...table.columns.map(c => c.name)))
        .flatMap(table => tableRows(table, model, unfolded, wanted, trans))
    },
    {
      id: 'searches',
      title: trans.__('Saved searches'),
      empty: trans.__('None yet: "%%logsearch --save NAME" keeps a query.'),
      rows: overview.searches
        .filter(search => has(search.name, search.category, search.description, search.query))
        .map(search =>
          leaf<Action>(`search ${search.name}`, search.name, search.category, trans.__('Open'), {
            title: [search.description, search.query].filter(text => text !== '').join('\n\n'),
            action: { kind: 'cell', code: cellOf(search.query, search.timespan), run: false }
          })
        )
    },
    {
      id: 'functions',
      title: trans.__('Functions'),
      empty: trans.__('None yet: ".create function NAME() { … }" keeps one.'),
      rows: overview.functions
        .filter(fn => has(fn.name, fn.folder, fn.description))
        .map(fn =>
          leaf<Action>(`function ${fn.name}`, `${fn.name}${fn.parameters}`, fn.folder, trans.__('Open'), {
            title: fn.description,
            code: true,
            action: { kind: 'cell', code: cellOf(callOf(fn)), run: false }
          })
        )
    },
    {
      id: 'history',
      title: trans.__('History'),
      empty: trans.__('Nothing was asked yet.'),
      rows: model.history.filter(past => has(past.query)).map((past, n) => pastRow(past, n, trans))
    }
  ];
  return sections.flatMap(section => sectionRows(section, unfolded, wanted));
}

function tableRows(
  table: ITable,
  model: PanelModel,
  unfolded: ReadonlySet<string>,
  wanted: string,
  trans: TranslationBundle
): IRow<Action>[] {
  const facts = model.facts[table.name];
  const columns = table.columns.filter(c => wanted !== '' && c.name.toLowerCase().includes(wanted));
  const id = `table ${table.name}`;
  const expanded = unfolded.has(id) || columns.length > 0;
  const newest = facts?.newest ? moment(facts.newest) : null;
  const told = !facts
    ? ''
    : newest === null
      ? trans.__('No records')
      : trans.__('Newest %1 UTC, %2', newest, ago(facts.newest ?? '', Date.now(), trans));
  const row = leaf<Action>(id, table.name, facts ? grouped(facts.rows) : '', trans.__('Preview'), {
    title: facts ? `${trans._n('%1 record', '%1 records', facts.rows, grouped(facts.rows))}\n${told}` : '',
    code: true,
    action: { kind: 'cell', code: cellOf(previewOf(table)), run: true }
  });
  row.expanded = expanded;
  if (!expanded) {
    return [row];
  }
  const shown = columns.length > 0 && !unfolded.has(id) ? columns : table.columns;
  const state: IRow<Action> = { ...leaf<Action>(`${id} newest`, told, '', '', { title: '' }), level: 3 };
  return [
    row,
    ...(told === '' ? [] : [state]),
    ...shown.map(column => ({
      ...leaf<Action>(`${id} ${column.name}`, column.name, column.type, trans.__('Insert'), {
        title: '',
        code: true,
        action: { kind: 'insert' as const, text: named(column.name) }
      }),
      level: 3 as const
    }))
  ];
}

/** A query that was asked: how long ago, and beside it how it ended. */
function pastRow(past: IPast, n: number, trans: TranslationBundle): IRow<Action> {
  const age = ago(past.moment, Date.now(), trans);
  const ended: Record<number, string> = {
    200: trans._n('%1 row', '%1 rows', past.rows, grouped(past.rows)),
    206: trans._n('stopped with %1 row', 'stopped with %1 rows', past.rows, grouped(past.rows)),
    400: trans.__('refused for a mistake'),
    499: trans.__('stopped')
  };
  const told = [
    trans.__('%1 UTC, %2', moment(past.moment), age),
    ended[past.status] ?? trans.__('failed'),
    `${grouped(Math.round(past.milliseconds))} ms`,
    past.application
  ];
  return leaf<Action>(`past ${n}`, past.query.replace(/\s+/g, ' '), past.status === 400 ? trans.__('mistake') : age, trans.__('Open'), {
    title: `${past.query}\n\n${told.join('\n')}`,
    code: true,
    action: { kind: 'cell', code: past.code, run: false }
  });
}

function previewOf(table: ITable): string {
  const newest = table.columns.some(c => c.name === 'TimeGenerated') ? 'top 20 by TimeGenerated' : 'take 20';
  return `${named(table.name)}\n| ${newest}`;
}

/** A call with the names of the parameters where their values belong. */
function callOf(fn: IFunction): string {
  const names = [...fn.parameters.matchAll(/([A-Za-z_]\w*)\s*:/g)].map(found => found[1] ?? '');
  return `${named(fn.name)}(${names.join(', ')})`;
}
