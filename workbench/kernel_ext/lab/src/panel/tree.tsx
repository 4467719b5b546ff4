/** A tree of lines for mouse and keyboard: arrows walk and unfold, Enter does what the line's button does. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IRow } from './sections';

interface IProps<A extends { kind: string }> {
  rows: IRow<A>[];
  label: string;
  onToggle: (id: string) => void;
  onAction: (action: A) => void;
}

export function Tree<A extends { kind: string }>({ rows, label, onToggle, onAction }: IProps<A>): JSX.Element {
  const tree = React.useRef<HTMLDivElement>(null);
  const [current, setCurrent] = React.useState('');
  const here = Math.max(
    0,
    rows.findIndex(row => row.id === current)
  );
  const go = (to: number): void => {
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (row) {
      setCurrent(row.id);
      tree.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(row.id)}"]`)?.focus();
    }
  };
  const act = (row: IRow<A>): void => {
    if (row.action?.kind === 'toggle') {
      onToggle(row.id);
    } else if (row.action) {
      onAction(row.action);
    }
  };
  const keys = (event: React.KeyboardEvent): void => {
    const row = rows[here];
    if (!row || event.altKey || event.ctrlKey || event.metaKey || event.target instanceof HTMLButtonElement) {
      return;
    }
    const parent = (): number => {
      let at = here;
      while (at > 0 && (rows[at]?.level ?? 1) >= row.level) {
        at -= 1;
      }
      return at;
    };
    const ways: Record<string, () => void> = {
      ArrowDown: () => go(here + 1),
      ArrowUp: () => go(here - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (row.expanded === false ? onToggle(row.id) : go(here + (row.expanded ? 1 : 0))),
      ArrowLeft: () => (row.expanded === true ? onToggle(row.id) : go(parent())),
      Enter: () => act(row)
    };
    const way = ways[event.key];
    if (way) {
      event.preventDefault();
      event.stopPropagation();
      way();
    }
  };
  return (
    <div ref={tree} className="wb-Tree" role="tree" aria-label={label} onKeyDown={keys}>
      {rows.map((row, at) => (
        <div
          key={row.id}
          data-id={row.id}
          className={`wb-Tree-row wb-mod-level${row.level}${row.action === null ? ' wb-mod-told' : ''}`}
          role="treeitem"
          aria-level={row.level}
          aria-label={[row.label, row.detail].filter(text => text !== '').join(', ')}
          aria-expanded={row.expanded ?? undefined}
          tabIndex={at === here ? 0 : -1}
          title={row.title || undefined}
          onFocus={() => setCurrent(row.id)}
          onClick={() => (row.expanded !== null ? onToggle(row.id) : undefined)}
          onDoubleClick={() => (row.expanded === null ? act(row) : undefined)}
        >
          <span className="wb-Tree-caret" aria-hidden>
            {row.expanded !== null && (row.expanded ? <caretDownIcon.react /> : <caretRightIcon.react />)}
          </span>
          <span className={`wb-Tree-label${row.code ? ' wb-mod-code' : ''}`}>{row.label}</span>
          {row.detail !== '' && (
            <span className={`wb-Tree-detail${row.mark ? ` wb-mark wb-mod-${row.mark}` : ''}`}>{row.detail}</span>
          )}
          {row.verb !== '' && (
            <button
              className="wb-Tree-button jp-mod-minimal"
              tabIndex={-1}
              aria-label={`${row.verb} ${row.label}`}
              onClick={event => {
                event.stopPropagation();
                act(row);
              }}
            >
              {row.verb}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
