/** The head of a side panel, and the filter above its tree. */
import { refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IHeadProps {
  title: string;
  /** What the button asks for. */
  refresh: string;
  onRefresh: () => Promise<void>;
}

export function Head({ title, refresh, onRefresh }: IHeadProps): JSX.Element {
  return (
    <div className="wb-Panel-head">
      <h2 className="wb-Panel-title">{title}</h2>
      <button
        className="wb-Panel-refresh jp-mod-minimal"
        title={refresh}
        aria-label={refresh}
        onClick={() => void onRefresh()}
      >
        <refreshIcon.react tag="span" />
      </button>
    </div>
  );
}

/** The workspace by its path; its place is kept before it is known. */
export function Workspace({ path }: { path: string | undefined }): JSX.Element {
  return (
    <div className="wb-Panel-workspace" title={path}>
      {path ?? '\u00a0'}
    </div>
  );
}

interface IFilterProps {
  placeholder: string;
  label: string;
  text: string;
  onChange: (text: string) => void;
}

/** Escape empties it, the arrow goes down into the tree. */
export function Filter({ placeholder, label, text, onChange }: IFilterProps): JSX.Element {
  return (
    <input
      className="wb-Panel-filter jp-mod-styled"
      type="search"
      spellCheck={false}
      placeholder={placeholder}
      aria-label={label}
      value={text}
      onChange={event => onChange(event.target.value)}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          onChange('');
        } else if (event.key === 'ArrowDown') {
          event.preventDefault();
          const tree = event.currentTarget.parentElement?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]');
          tree?.focus();
        }
      }}
    />
  );
}

/** The set with `id` in it, or without it where it was. */
export function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) {
    next.add(id);
  }
  return next;
}
