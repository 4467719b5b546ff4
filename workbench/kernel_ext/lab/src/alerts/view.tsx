/** The panel of alerts as it is seen: what fires and which rules there are, or one of them, each with a way back. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Filter, toggled } from '../panel/head';
import { Mistake } from '../panel/mistake';
import { Note } from '../panel/note';
import { Paged } from '../panel/paged';
import { Tree } from '../panel/tree';
import { SidePanel } from '../panel/widget';
import type { IAlerts } from '../protocol';
import { AlertPage } from './alert';
import type { AlertsModel } from './model';
import { rowsOf } from './rows';
import { RulePage } from './rule';
import { nameOf } from './words';

interface IProps {
  model: AlertsModel;
  /** Write a rule; null for a new one. */
  edit: (rule: string | null) => void;
  openRecords: (alert: string) => void;
  trans: TranslationBundle;
}

export class AlertsPanel extends SidePanel<IProps> {
  constructor(props: IProps) {
    super(props, props.trans.__('Alerts'));
    this.addClass('wb-Paged');
    this.addClass('wb-Alerts');
  }

  protected whole(props: IProps): JSX.Element {
    return <Whole {...props} />;
  }
}

function Whole({ model, edit, openRecords, trans }: IProps): JSX.Element {
  const { page, known } = model;
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['firing', 'rules']));
  const title =
    page.kind === 'lists'
      ? trans.__('Alerts')
      : page.kind === 'rule'
        ? page.rule
        : model.alert
          ? nameOf(model.alert.alert)
          : '';
  return (
    <Paged
      page={page.kind}
      isFirst={page.kind === 'lists'}
      title={title}
      workspace={known?.workspace}
      back={trans.__('‹ Alerts and rules')}
      onBack={() => model.open({ kind: 'lists' })}
      refresh={trans.__('Ask the service anew')}
      onRefresh={() => model.refresh()}
      focus={page.kind === 'lists' ? '.wb-Panel-filter' : '.wb-Panel-back'}
    >
      <Note model={model} trans={trans} closed={trans.__('Open a notebook to see the alerts of its workspace.')} />
      <Mistake mistake={model.mistake} silent={trans.__('The kernel gave no answer in time.')} />
      {known && page.kind === 'lists' && (
        <Lists
          known={known}
          filter={filter}
          setFilter={setFilter}
          unfolded={unfolded}
          setUnfolded={setUnfolded}
          model={model}
          edit={edit}
          trans={trans}
        />
      )}
      {page.kind === 'rule' && <RulePage key={page.rule} model={model} edit={edit} trans={trans} />}
      {page.kind === 'alert' && <AlertPage key={page.alert} model={model} openRecords={openRecords} trans={trans} />}
    </Paged>
  );
}

interface IListProps {
  known: IAlerts;
  filter: string;
  setFilter: (text: string) => void;
  unfolded: ReadonlySet<string>;
  setUnfolded: (unfolded: ReadonlySet<string>) => void;
  model: AlertsModel;
  edit: (rule: string | null) => void;
  trans: TranslationBundle;
}

function Lists({ known, filter, setFilter, unfolded, setUnfolded, model, edit, trans }: IListProps): JSX.Element {
  const rows = rowsOf(known, unfolded, filter, trans);
  return (
    <>
      <Filter
        placeholder={trans.__('Filter')}
        label={trans.__('Filter alerts and rules')}
        text={filter}
        onChange={setFilter}
      />
      {known.rules !== null && (
        <div className="wb-Alert-new">
          <button className="jp-mod-styled" onClick={() => edit(null)}>
            {trans.__('New rule')}
          </button>
        </div>
      )}
      {known.rules === null && (
        <p className="wb-Panel-note" role="status">
          {trans.__('The service of this workspace is of a version without alerts.')}
        </p>
      )}
      {known.rules !== null && rows.length === 0 && (
        <p className="wb-Panel-note" role="status">
          {trans.__('Nothing here is called "%1".', filter)}
        </p>
      )}
      {rows.length > 0 && (
        <Tree
          rows={rows}
          label={trans.__('Alerts and rules')}
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
