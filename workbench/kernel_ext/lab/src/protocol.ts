/** What the plugin asks the kernel and what comes back; the other side is `kernel_ext/channel.py`. */

export const TARGET = 'workbench.language';

/** Two places in a cell's code, counted in characters (not in units of UTF-16). */
export type Span = [number, number];

export interface IItem {
  label: string;
  kind: string;
  insert: string;
  detail: string;
  doc: string;
  order: number;
}

export interface ICompletion {
  items: IItem[];
  replace: Span;
}

export interface IHover {
  label: string;
  kind: string;
  detail: string;
  doc: string;
  span: Span;
}

export interface ISignature {
  label: string;
  parameters: Span[];
  active: number;
  doc: string;
  others: string[];
}

export interface IFinding {
  span: Span;
  code: string;
  message: string;
  hint: string | null;
  severity: 'error' | 'warning' | 'hint';
}

export interface IColumn {
  name: string;
  type: string;
}

export interface ITable {
  name: string;
  columns: IColumn[];
}

export interface ISearch {
  name: string;
  category: string;
  description: string;
  query: string;
  timespan: string;
}

export interface IFunction {
  name: string;
  parameters: string;
  description: string;
  folder: string;
}

export interface IOverview {
  workspace: string;
  tables: ITable[];
  searches: ISearch[];
  functions: IFunction[];
}

export interface IFacts {
  rows: number;
  newest: string | null;
}

/** A query of the user, here or elsewhere, as `LAQueryLogs` has it. */
export interface IPast {
  query: string;
  /** A cell that asks it again. */
  code: string;
  /** ISO text in UTC. */
  moment: string;
  /** Of HTTP: 200 all rows, 206 some, 400 a mistake, 499 stopped. */
  status: number;
  rows: number;
  milliseconds: number;
  application: string;
}

/** Questions: their arguments and the type of the answer. */
export interface IQuestions {
  complete: [{ code: string; position: number }, ICompletion | null];
  hover: [{ code: string; position: number }, IHover | null];
  signature: [{ code: string; position: number }, ISignature | null];
  findings: [{ code: string }, IFinding[]];
  format: [{ code: string; width: number }, string];
  overview: [object, IOverview];
  facts: [{ tables: string[] }, Record<string, IFacts>];
  history: [object, IPast[]];
}

/** A mistake that the kernel tells of. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | null
  ) {
    super(message);
  }
}

/** Nobody answered in time, or there is nobody. */
export class NoAnswer extends Error {}
