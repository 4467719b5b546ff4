/** The two languages of log searches, as JupyterLab's editors know them, and which one a cell is in. */
import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting, type StreamParser } from '@codemirror/language';
import { pgSQL } from '@codemirror/legacy-modes/mode/sql';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

import { kql, magic, magicToken, startState, type IQueryState } from './stream';

export const KQL_MIME = 'text/x-logsearch';
export const SQL_MIME = 'text/x-logsearch-sql';

const FIRST_LINE = /^\s*%%logsearch\b([^\n]*)/;
const IS_SQL = /(^|\s)--(sql\b|dialect[\s=])/;

/** The MIME type of a cell that is a log search, null of any other cell. */
export function mimeOf(code: string): string | null {
  const first = FIRST_LINE.exec(code);
  if (!first) {
    return null;
  }
  return IS_SQL.test(first[1] ?? '') ? SQL_MIME : KQL_MIME;
}

export function isLogSearch(mimeType: string): boolean {
  return mimeType === KQL_MIME || mimeType === SQL_MIME;
}

interface ISqlState {
  line: IQueryState;
  inner: unknown;
}

/** SQL below the line of the magic. */
const sql: StreamParser<ISqlState> = {
  name: 'logsearch-sql',
  tokenTable: { magic },
  startState: unit => ({ line: startState(), inner: pgSQL.startState?.(unit) }),
  copyState: state => ({ line: { ...state.line }, inner: pgSQL.copyState?.(state.inner) ?? state.inner }),
  languageData: { commentTokens: { line: '--' }, ...pgSQL.languageData },
  token: (stream, state) => magicToken(stream, state.line) ?? pgSQL.token(stream, state.inner)
};

const quiet = syntaxHighlighting(HighlightStyle.define([{ tag: magic, color: 'var(--jp-ui-font-color2)' }]));

export function addLanguages(registry: IEditorLanguageRegistry): void {
  registry.addLanguage({
    name: 'logsearch',
    displayName: 'KQL',
    alias: ['kql', 'kusto'],
    mime: [KQL_MIME, 'text/x-kql'],
    extensions: ['kql', 'csl'],
    support: new LanguageSupport(StreamLanguage.define(kql), quiet)
  });
  registry.addLanguage({
    name: 'logsearch-sql',
    displayName: 'SQL log search',
    mime: SQL_MIME,
    support: new LanguageSupport(StreamLanguage.define(sql), quiet)
  });
}
