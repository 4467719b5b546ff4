/** The automation panel as it is seen: lists, or the form of a runbook, or one job, each with a way back. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Filter, toggled } from '../panel/head';
import { Note } from '../panel/note';
import { Paged } from '../panel/paged';
import { Tree } from '../panel/tree';
import { SidePanel } from '../panel/widget';
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

export class AutomationPanel extends SidePanel<IProps> {
  constructor(props: IProps) {
    super(props, props.trans.__('Automation'));
    this.addClass('wb-Paged');
    this.addClass('wb-Automation');
  }

  protected whole(props: IProps): JSX.Element {
    return <Whole {...props} />;
  }
}

function Whole({ model, openNotebook, trans }: IProps): JSX.Element {
  const { page, known } = model;
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['runbooks', 'jobs']));
  const runbook = page.kind === 'form' ? known?.runbooks?.find(one => one.name === page.runbook) : undefined;
  const title =
    page.kind === 'lists'
      ? trans.__('Automation')
      : page.kind === 'form'
        ? trans.__('Start %1', page.runbook)
        : (model.job?.runbook ?? '');
  return (
    <Paged
      page={page.kind}
      isFirst={page.kind === 'lists'}
      title={title}
      workspace={known?.workspace}
      back={trans.__('‹ Runbooks and jobs')}
      onBack={() => model.open({ kind: 'lists' })}
      refresh={trans.__('Ask the service anew')}
      onRefresh={() => model.refresh()}
      focus={page.kind === 'form' ? null : page.kind === 'job' ? '.wb-Panel-back' : '.wb-Panel-filter'}
    >
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
    </Paged>
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
      <Filter
        placeholder={trans.__('Filter')}
        label={trans.__('Filter runbooks, jobs, schedules, webhooks, assets and workers')}
        text={filter}
        onChange={setFilter}
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
          onToggle={id => setUnfolded(toggled(unfolded, id))}
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
