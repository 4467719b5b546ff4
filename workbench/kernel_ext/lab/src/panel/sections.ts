/** Lines of a tree in sections: each has a head that unfolds, and under it its lines or why there are none. */
import { grouped } from './texts';

export interface Toggle {
  kind: 'toggle';
}

export interface IRow<A> {
  id: string;
  level: 1 | 2 | 3;
  label: string;
  /** Set in the code font. */
  code: boolean;
  /** At the right: a number, a type, a state. */
  detail: string;
  /** The meaning of the detail as a colour beside it. */
  mark?: Mark;
  title: string;
  /** Null where there is nothing to unfold. */
  expanded: boolean | null;
  action: A | null;
  /** What the button of the line and Enter are called. */
  verb: string;
}

export type Mark = 'good' | 'live' | 'warning' | 'bad' | 'quiet';

export interface ISection<A> {
  id: string;
  title: string;
  empty: string;
  rows: IRow<A>[];
}

export function sectionRows<A>(
  section: ISection<A | Toggle>,
  unfolded: ReadonlySet<string>,
  wanted: string
): IRow<A | Toggle>[] {
  const count = section.rows.filter(row => row.level === 2).length;
  if (wanted !== '' && count === 0) {
    return [];
  }
  const expanded = wanted !== '' || unfolded.has(section.id);
  const head: IRow<A | Toggle> = {
    id: section.id, level: 1, label: section.title, code: false, detail: grouped(count), title: '', expanded,
    action: { kind: 'toggle' }, verb: ''
  };
  const none = leaf<A | Toggle>(`${section.id} none`, section.empty, '', '', { title: '' });
  return expanded ? [head, ...(count === 0 ? [none] : section.rows)] : [head];
}

export function leaf<A>(
  id: string,
  label: string,
  detail: string,
  verb: string,
  rest: { title: string; code?: boolean; action?: A; mark?: Mark }
): IRow<A> {
  return {
    id, level: 2, label, code: rest.code ?? false, detail, title: rest.title, expanded: null,
    action: rest.action ?? null, verb, ...(rest.mark ? { mark: rest.mark } : {})
  };
}
