/** The side panel as it is seen: a filter above a tree that is walked with the arrows, or why there is none. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, refreshIcon, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { PanelModel } from './model';
import { Note } from './note';
import { rowsOf, type Action } from './rows';
import { Tree } from './tree';

interface IProps {
  model: PanelModel;
  act: (action: Action) => void;
  trans: TranslationBundle;
}

export class SearchPanel extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.addClass('wb-Panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', props.trans.__('Log search'));
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.props.model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.props.model.visible = false;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector('input')?.focus();
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this.props.model.changed}>{() => <Whole {...this.props} />}</UseSignal>
    );
  }
}

function Whole({ model, act, trans }: IProps): JSX.Element {
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['tables', 'searches']));
  const toggle = (id: string): void => {
    const next = new Set(unfolded);
    if (!next.delete(id)) {
      next.add(id);
    }
    setUnfolded(next);
  };
  const rows = rowsOf(model, unfolded, filter, trans);
  return (
    <>
      <div className="wb-Panel-head">
        <h2 className="wb-Panel-title">{trans.__('Log search')}</h2>
        <button
          className="wb-Panel-refresh jp-mod-minimal"
          title={trans.__('Read the workspace anew')}
          aria-label={trans.__('Read the workspace anew')}
          onClick={() => void model.refresh()}
        >
          <refreshIcon.react tag="span" />
        </button>
      </div>
      <div className="wb-Panel-workspace" title={model.overview?.workspace}>
        {model.overview?.workspace ?? '\u00a0'}
      </div>
      <input
        className="wb-Panel-filter jp-mod-styled"
        type="search"
        spellCheck={false}
        placeholder={trans.__('Filter')}
        aria-label={trans.__('Filter tables, columns, searches, functions and history')}
        value={filter}
        onChange={event => setFilter(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            setFilter('');
          } else if (event.key === 'ArrowDown') {
            event.preventDefault();
            const tree = event.currentTarget.parentElement?.querySelector<HTMLElement>('[role=treeitem][tabindex="0"]');
            tree?.focus();
          }
        }}
      />
      <Note
        model={model}
        trans={trans}
        closed={trans.__('Open a notebook to see the tables of its workspace.')}
      />
      {model.overview && rows.length === 0 && filter !== '' && (
        <p className="wb-Panel-note" role="status">
          {trans.__('Nothing here is called "%1".', filter)}
        </p>
      )}
      {rows.length > 0 && (
        <Tree rows={rows} label={trans.__('Workspace')} onToggle={toggle} onAction={act} />
      )}
    </>
  );
}
