/** The panel of alerts as it is seen: what fires and which rules there are, or one of them, each with a way back. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Filter, toggled } from '../panel/head';
import { Note } from '../panel/note';
import { Paged } from '../panel/paged';
import { Tree } from '../panel/tree';
import { SidePanel } from '../panel/widget';
import type { IAlerts } from '../protocol';
import type { AlertsModel } from './model';
import { rowsOf } from './rows';

interface IProps {
  model: AlertsModel;
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

function Whole({ model, trans }: IProps): JSX.Element {
  const { known } = model;
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['firing', 'rules']));
  return (
    <Paged
      page="lists"
      isFirst
      title={trans.__('Alerts')}
      workspace={known?.workspace}
      back={trans.__('‹ Alerts and rules')}
      onBack={() => model.open({ kind: 'lists' })}
      refresh={trans.__('Ask the service anew')}
      onRefresh={() => model.refresh()}
      focus=".wb-Panel-filter"
    >
      <Note model={model} trans={trans} closed={trans.__('Open a notebook to see the alerts of its workspace.')} />
      {known && (
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
  trans: TranslationBundle;
}

function Lists({ known, filter, setFilter, unfolded, setUnfolded, trans }: IListProps): JSX.Element {
  const rows = rowsOf(known, unfolded, filter, trans);
  return (
    <>
      <Filter
        placeholder={trans.__('Filter')}
        label={trans.__('Filter alerts and rules')}
        text={filter}
        onChange={setFilter}
      />
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
          onAction={() => undefined}
        />
      )}
    </>
  );
}
