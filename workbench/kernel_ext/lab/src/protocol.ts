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

/** A parameter of a runbook, as its parameters cell declares it. */
export interface IParameter {
  name: string;
  type: 'str' | 'int' | 'float' | 'bool' | 'list' | 'dict' | 'any';
  required: boolean;
  help: string;
  default?: unknown;
  choices?: unknown[];
}

export interface IRunbook {
  name: string;
  version: number;
  published: boolean;
  description: string;
  parameters: IParameter[];
}

/** Times here and below are ISO text. */
export interface IJob {
  id: string;
  runbook: string;
  version: number;
  trigger: string;
  worker: string;
  state: string;
  error: string;
  error_code: string;
  /** What it asks a person, where it waits for one. */
  question: string;
  attempt: number;
  parameters: Record<string, unknown>;
  created: string;
  started: string | null;
  ended: string | null;
}

export interface ILine {
  number: number;
  stream: string;
  message: string;
  time: string;
}

export interface ISchedule {
  name: string;
  runbook: string;
  when: string;
  zone: string;
  state: string;
  next: string | null;
  last_error: string | null;
}

export interface IWebhook {
  name: string;
  runbook: string;
  state: string;
  expires: string;
  last_called: string | null;
  last_error: string | null;
}

export interface IAsset {
  kind: string;
  name: string;
  type: string;
  encrypted: boolean;
  description: string;
  runbooks: string[];
  changed: string;
}

export interface IWorker {
  name: string;
  group: string;
  state: string;
  running: number;
  slots: number;
  version: string;
  isolation: string;
  seen: string | null;
}

/** A list that the service does not know, being older, is null. */
export interface IAutomation {
  workspace: string;
  runbooks: IRunbook[] | null;
  jobs: IJob[];
  schedules: ISchedule[] | null;
  webhooks: IWebhook[] | null;
  assets: IAsset[] | null;
  workers: IWorker[] | null;
}

/** An alert rule and how it is. */
export interface IAlertRule {
  name: string;
  enabled: boolean;
  state: string;
  severity: string;
  /** Seconds. */
  frequency: number;
  window: number;
  description: string;
  last: string | null;
  next: string | null;
  /** What its last evaluation measured, the greatest of its dimensions. */
  value: number | null;
  error: string;
}

export interface IAlert {
  id: string;
  rule: string;
  severity: string;
  /** Firing or Resolved. */
  state: string;
  /** What people made of it: New, Acknowledged or Closed. */
  response: string;
  responder: string;
  fired: string;
  resolved: string | null;
  reason: string;
  value: number | null;
  /** Of records. */
  count: number;
  dimensions: Record<string, string>;
  told: boolean;
  comments: { by: string; time: string; text: string }[];
}

/** When a rule fires. */
export interface IAlertTerms {
  /** `count > 10`. */
  when: string;
  operator: string;
  threshold: number;
  /** It fires when `failing` of the last `periods` evaluations were violated. */
  failing: number;
  periods: number;
  each_row: boolean;
  window: number;
  query: string;
}

/** One evaluation of a rule: how it went, and the greatest value of its dimensions. */
export interface IEvaluation {
  at: string;
  health: 'OK' | 'NoData' | 'Error';
  milliseconds: number;
  count: number | null;
  value: number | null;
  /** How many combinations of dimensions were. */
  violated: number;
}

/** A combination of dimensions that a rule watches. */
export interface IAlertSeries {
  dimensions: Record<string, string>;
  state: string;
  since: string;
  value: number | null;
  alert_id: string;
}

export interface IAlertRulePage extends IAlertRule, IAlertTerms {
  /** `5m`. */
  every: string;
  over: string;
  text: string;
  /** The newest last. */
  evaluations: IEvaluation[];
  series: IAlertSeries[];
  /** How many there are; `series` has the first. */
  all_series: number;
  alerts: IAlert[];
}

/** A record of `Alert`. */
export interface IAlertEvent {
  time: string;
  change: string;
  by: string;
  comment: string;
  value: number | null;
  detail: string;
}

/** An alert; its rule is null where that was removed. */
export interface IAlertPage {
  alert: IAlert;
  history: IAlertEvent[];
  rule: IAlertTerms | null;
}

/** What a rule would measure now. */
export interface IAlertPreview extends IAlertTerms {
  count: number;
  violated: number;
  start: string;
  end: string;
  /** The violated ones first; not all, where there are many. */
  groups: { dimensions: Record<string, string>; value: number | null; violated: boolean; count: number }[];
  columns: IColumn[];
  records: unknown[][];
}

/** A list that the service does not know, being older, is null. */
export interface IAlerts {
  workspace: string;
  rules: IAlertRule[] | null;
  firing: IAlert[] | null;
  past: IAlert[] | null;
}

export interface IMistake {
  code: string;
  message: string;
  hint: string | null;
}

/** A start as it is typed: only the fields that were changed. */
export interface IStart {
  runbook: string;
  values: Record<string, string>;
  group?: string;
  timeout?: number;
  retries?: number;
}

/** What a person does with an alert. */
export type Response = 'acknowledge' | 'close' | 'comment';

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
  automation: [object, IAutomation];
  jobs: [object, { jobs: IJob[] }];
  job: [{ job: string; after: number }, { job: IJob; lines: ILine[]; over: boolean }];
  start: [IStart, { job?: string; mistakes?: Record<string, IMistake> }];
  cancel: [{ job: string }, { state: string }];
  resume: [{ job: string }, { state: string }];
  notebook: [{ job: string }, object];
  alerts: [object, IAlerts];
  alertRule: [{ rule: string }, IAlertRulePage];
  switchRule: [{ rule: string; how: 'enable' | 'disable' | 'run' }, object];
  alert: [{ alert: string }, IAlertPage];
  respond: [{ alert: string; how: Response; comment: string }, IAlert];
  alertRecords: [{ alert: string }, { query: string; timespan: string }];
  alertText: [{ rule: string | null }, { text: string }];
  alertFindings: [{ text: string }, IFinding[]];
  alertPreview: [{ text: string }, IAlertPreview];
  saveRule: [{ text: string; rule: string | null }, { rule: string }];
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
