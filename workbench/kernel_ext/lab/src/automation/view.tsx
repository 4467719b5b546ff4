/** The automation panel as it is seen: lists, or the form of a runbook, or one job, each with a way back. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, refreshIcon, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Note } from '../panel/note';
import { Tree } from '../panel/tree';
import type { IAutomation, IJob } from '../protocol';
import { StartForm } from './form';
import { JobPage } from './job';
import type { AutomationModel } from './model';
import { rowsOf } from './rows';

interface IProps {
  model: AutomationModel;
  openNotebook: (job: IJob) => void;
  trans: TranslationBundle;
}

export class AutomationPanel extends ReactWidget {
  constructor(private readonly props: IProps) {
    super();
    this.addClass('wb-Panel');
    this.addClass('wb-Automation');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', props.trans.__('Automation'));
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
    this.node.querySelector<HTMLElement>('.wb-Panel-filter, .wb-Panel-back')?.focus();
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.props.model.changed}>{() => <Whole {...this.props} />}</UseSignal>;
  }
}

function Whole({ model, openNotebook, trans }: IProps): JSX.Element {
  const { page, known } = model;
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['runbooks', 'jobs']));
  const whole = React.useRef<HTMLDivElement>(null);
  // Where the focus was is gone with its page; at the start it stays where it is.
  const before = React.useRef(page.kind);
  React.useEffect(() => {
    if (before.current !== page.kind && page.kind !== 'form') {
      whole.current?.querySelector<HTMLElement>(page.kind === 'job' ? '.wb-Panel-back' : '.wb-Panel-filter')?.focus();
    }
    before.current = page.kind;
  }, [page.kind]);
  const back = (): void => model.open({ kind: 'lists' });
  const runbook = page.kind === 'form' ? known?.runbooks?.find(one => one.name === page.runbook) : undefined;
  const title =
    page.kind === 'lists'
      ? trans.__('Automation')
      : page.kind === 'form'
        ? trans.__('Start %1', page.runbook)
        : (model.job?.runbook ?? '');
  return (
    <div
      ref={whole}
      className="wb-Automation-page"
      onKeyDown={event => {
        if (event.key === 'Escape' && page.kind !== 'lists') {
          event.stopPropagation();
          back();
        }
      }}
    >
      <div className="wb-Panel-head">
        <h2 className="wb-Panel-title">{title}</h2>
        <button
          className="wb-Panel-refresh jp-mod-minimal"
          title={trans.__('Ask the service anew')}
          aria-label={trans.__('Ask the service anew')}
          onClick={() => void model.refresh()}
        >
          <refreshIcon.react tag="span" />
        </button>
      </div>
      {page.kind === 'lists' ? (
        <div className="wb-Panel-workspace" title={known?.workspace}>
          {known?.workspace ?? '\u00a0'}
        </div>
      ) : (
        <button className="wb-Panel-back jp-mod-minimal" onClick={back}>
          {trans.__('‹ Runbooks and jobs')}
        </button>
      )}
      <Note model={model} trans={trans} closed={trans.__('Open a notebook to see the runbooks of its workspace.')} />
      {known && page.kind === 'lists' && (
        <Lists
          known={known}
          filter={filter}
          setFilter={setFilter}
          unfolded={unfolded}
          setUnfolded={setUnfolded}
          model={model}
          trans={trans}
        />
      )}
      {page.kind === 'form' && known && !runbook && (
        <p className="wb-Panel-note" role="status">
          {trans.__('There is no runbook "%1".', page.runbook)}
        </p>
      )}
      {page.kind === 'form' && runbook && (
        <StartForm key={runbook.name} model={model} runbook={runbook} groups={groupsOf(known)} trans={trans} />
      )}
      {page.kind === 'job' && <JobPage key={page.job} model={model} openNotebook={openNotebook} trans={trans} />}
    </div>
  );
}

interface IListProps {
  known: IAutomation;
  filter: string;
  setFilter: (text: string) => void;
  unfolded: ReadonlySet<string>;
  setUnfolded: (unfolded: ReadonlySet<string>) => void;
  model: AutomationModel;
  trans: TranslationBundle;
}

function Lists({ known, filter, setFilter, unfolded, setUnfolded, model, trans }: IListProps): JSX.Element {
  const rows = rowsOf(known, unfolded, filter, trans);
  return (
    <>
      <input
        className="wb-Panel-filter jp-mod-styled"
        type="search"
        spellCheck={false}
        placeholder={trans.__('Filter')}
        aria-label={trans.__('Filter runbooks, jobs, schedules, webhooks, assets and workers')}
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
      {rows.length === 0 && (
        <p className="wb-Panel-note" role="status">
          {trans.__('Nothing here is called "%1".', filter)}
        </p>
      )}
      {rows.length > 0 && (
        <Tree
          rows={rows}
          label={trans.__('Runbooks and jobs')}
          onToggle={id => {
            const next = new Set(unfolded);
            if (!next.delete(id)) {
              next.add(id);
            }
            setUnfolded(next);
          }}
          onAction={action => {
            if (action.kind !== 'toggle') {
              model.open(action);
            }
          }}
        />
      )}
    </>
  );
}

function groupsOf(known: IAutomation | null): string[] {
  return [...new Set(['default', ...(known?.workers ?? []).map(worker => worker.group)])];
}
