/** The first line of a log search cell: its options read and changed as text. */

const TIMESPAN = /\s+--timespan[\s=]+("[^"]*"|'[^']*'|\S+)/;

/** The cell with `--timespan SPAN` in its first line, or without that option for an empty span. */
export function withTimespan(code: string, span: string): string {
  const end = code.indexOf('\n');
  const first = end < 0 ? code : code.slice(0, end);
  const bare = first.replace(TIMESPAN, '');
  const made = span === '' ? bare : bare.replace(/%%logsearch\b/, `%%logsearch --timespan ${span}`);
  return end < 0 ? made : made + code.slice(end);
}

/** A cell that asks this query. */
export function cellOf(query: string, timespan = ''): string {
  return `%%logsearch${timespan === '' ? '' : ` --timespan ${quoted(timespan)}`}\n${query}`;
}

/** A value of an option, in quotes where it has white space. */
export function quoted(value: string): string {
  return /^[^\s"'-][^\s"']*$/.test(value) ? value : value.includes('"') ? `'${value}'` : `"${value}"`;
}

/** A name of a table or function as KQL takes it. */
export function named(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `['${name.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}']`;
}
