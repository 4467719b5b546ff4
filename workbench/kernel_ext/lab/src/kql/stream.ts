/**
 * Colours of a log search, line by line: the text of a cell in, names of styles out.
 *
 * It reads words and no grammar, so every text gets colours at once and without a kernel; what a word means is
 * asked of the language service. The words themselves are made from the engine's own lists (`words.json`).
 */
import type { StreamParser, StringStream } from '@codemirror/language';

import { Tag } from '@lezer/highlight';

import words from './words.json';

/** The line of the magic, which is quiet: it is about the cell, not about the records. */
export const magic = Tag.define();

const OPERATORS: ReadonlySet<string> = new Set(words.operators);
const SOURCES: ReadonlySet<string> = new Set(words.sources);
const FUNCTIONS: ReadonlySet<string> = new Set(words.functions);
const INFIX: ReadonlySet<string> = new Set(words.infix);
const KEYWORDS: ReadonlySet<string> = new Set(words.keywords);
const TYPES: ReadonlySet<string> = new Set(words.types);
const CONSTANTS: ReadonlySet<string> = new Set(['true', 'false', 'null']);
const OPTIONS: Readonly<Record<string, boolean>> = words.options;

const MAGIC = /^\s*%%logsearch\b/;

/** Where in the text we are; copied by CodeMirror at each line. */
export interface IQueryState {
  /** Whether nothing but blank lines came so far. */
  atTop: boolean;
  /** Whether we are behind `%%logsearch` on its line. */
  inMagic: boolean;
  /** Whether the next word of the line is the value of an option. */
  optionValue: boolean;
  /** Whether an operator may follow: behind a pipe; or a source: where a statement begins. */
  expects: 'operator' | 'source' | 'type' | '';
  /** The marks that end a string of several lines. */
  fence: string;
}

export function startState(): IQueryState {
  return { atTop: true, inMagic: false, optionValue: false, expects: 'source', fence: '' };
}

/**
 * Read the next stretch of the magic's line.
 *
 * Returns the style, or null where the query begins.
 */
export function magicToken(stream: StringStream, state: IQueryState): string | null {
  if (stream.sol()) {
    state.inMagic = false;
    if (state.atTop && stream.match(MAGIC)) {
      state.atTop = false;
      state.inMagic = true;
      return 'magic';
    }
    if (!/^\s*$/.test(stream.string)) {
      state.atTop = false;
    }
  }
  if (!state.inMagic) {
    return null;
  }
  if (stream.eatSpace()) {
    return 'magic';
  }
  if (state.optionValue) {
    state.optionValue = false;
    stream.match(/^("[^"]*"?|'[^']*'?|\S+)/);
    return 'magic';
  }
  const option = stream.match(/^(-[-\w]*)=?/) as RegExpMatchArray | null;
  if (option) {
    state.optionValue = OPTIONS[option[1] ?? ''] === true;
    return 'magic';
  }
  state.inMagic = false;
  return null;
}

export const kql: StreamParser<IQueryState> = {
  name: 'logsearch',
  tokenTable: { magic },
  startState,
  copyState: state => ({ ...state }),
  languageData: {
    commentTokens: { line: '//' },
    closeBrackets: { brackets: ['(', '[', '{', "'", '"'] }
  },
  token(stream, state) {
    if (state.fence) {
      return inFence(stream, state);
    }
    const magic = magicToken(stream, state);
    if (magic !== null) {
      return magic;
    }
    if (stream.eatSpace()) {
      return null;
    }
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    const fence = stream.match(/^[hH]?(```|~~~)/) as RegExpMatchArray | null;
    if (fence) {
      state.fence = fence[1] ?? '';
      return inFence(stream, state);
    }
    if (stream.match(/^[hH]?@("([^"]|"")*"?|'([^']|'')*'?)/) || stream.match(/^[hH]?("([^"\\]|\\.)*"?|'([^'\\]|\\.)*'?)/)) {
      state.expects = '';
      return 'string';
    }
    if (stream.match(/^(0[xX][0-9a-fA-F]+|\d+(\.\d+)?([eE][+-]?\d+)?(microseconds?|ticks?|days?|hours?|minutes?|seconds?|milliseconds?|ms|[dhms])?)\b/)) {
      state.expects = '';
      return 'number';
    }
    if (stream.match('|')) {
      state.expects = 'operator';
      return 'operator';
    }
    const begins = state.expects;
    if (begins === 'operator' || begins === 'source') {
      const long = stream.match(/^[a-z_]+(-[a-z]+)*/, false) as RegExpMatchArray | null;
      const known = begins === 'operator' ? OPERATORS : SOURCES;
      if (long && known.has(long[0])) {
        stream.match(long[0]);
        state.expects = '';
        return 'keyword';
      }
    }
    const word = stream.match(/^[A-Za-z_$][\w]*/) as RegExpMatchArray | null;
    if (word) {
      state.expects = '';
      return ofWord(word[0], begins, stream);
    }
    const mark = stream.next() ?? '';
    state.expects = ';({'.includes(mark) ? 'source' : mark === ':' ? 'type' : '';
    if ('()[]{}'.includes(mark)) {
      return 'bracket';
    }
    return ',;'.includes(mark) ? 'punctuation' : 'operator';
  }
};

function ofWord(word: string, begins: IQueryState['expects'], stream: StringStream): string | null {
  const called = /^\s*\(/.test(stream.string.slice(stream.pos));
  if (begins === 'type' && TYPES.has(word)) {
    return 'variableName.standard';
  }
  if (CONSTANTS.has(word)) {
    return 'atom';
  }
  if (INFIX.has(word)) {
    return 'operator';
  }
  if (called && FUNCTIONS.has(word)) {
    return 'variableName.standard';
  }
  if (KEYWORDS.has(word)) {
    return 'keyword';
  }
  if (called && TYPES.has(word)) {
    return 'variableName.standard';
  }
  const before = stream.string.slice(0, stream.start);
  if (/\.\s*$/.test(before)) {
    return 'propertyName';
  }
  return begins === 'source' && !/\(\s*$/.test(before) ? 'variableName.special' : 'variableName';
}

function inFence(stream: StringStream, state: IQueryState): string {
  const ends = stream.string.indexOf(state.fence, stream.pos);
  if (ends < 0) {
    stream.skipToEnd();
  } else {
    stream.pos = ends + state.fence.length;
    state.fence = '';
    state.expects = '';
  }
  return 'string';
}
