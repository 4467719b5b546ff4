/** A panel with pages: the first one has the workspace under its title, each other a way back, which Escape goes too. */
import * as React from 'react';

import { Head, Workspace } from './head';

interface IProps {
  /** Which page it is; with another one the focus goes to `focus`. */
  page: string;
  isFirst: boolean;
  title: string;
  workspace: string | undefined;
  /** The words of the way back. */
  back: string;
  onBack: () => void;
  refresh: string;
  onRefresh: () => Promise<void>;
  /** What has the focus on a new page; null: the page sees to it. */
  focus: string | null;
  children: React.ReactNode;
}

export function Paged(props: IProps): JSX.Element {
  const { page, isFirst, focus } = props;
  const whole = React.useRef<HTMLDivElement>(null);
  // Where the focus was is gone with its page; at the start it stays where it is.
  const before = React.useRef(page);
  React.useEffect(() => {
    if (before.current !== page && focus !== null) {
      whole.current?.querySelector<HTMLElement>(focus)?.focus();
    }
    before.current = page;
  }, [page]);
  return (
    <div
      ref={whole}
      className="wb-Paged-page"
      onKeyDown={event => {
        if (event.key === 'Escape' && !isFirst && !event.defaultPrevented) {
          event.stopPropagation();
          props.onBack();
        }
      }}
    >
      <Head title={props.title} refresh={props.refresh} onRefresh={props.onRefresh} />
      {isFirst ? (
        <Workspace path={props.workspace} />
      ) : (
        <button className="wb-Panel-back jp-mod-minimal" onClick={props.onBack}>
          {props.back}
        </button>
      )}
      {props.children}
    </div>
  );
}
