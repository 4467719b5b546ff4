/** The side panel as it is seen: a filter above a tree that is walked with the arrows, or why there is none. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Filter, Head, toggled, Workspace } from './head';
import type { PanelModel } from './model';
import { Note } from './note';
import { rowsOf, type Action } from './rows';
import { Tree } from './tree';
import { SidePanel } from './widget';

interface IProps {
  model: PanelModel;
  act: (action: Action) => void;
  trans: TranslationBundle;
}

export class SearchPanel extends SidePanel<IProps> {
  constructor(props: IProps) {
    super(props, props.trans.__('Log search'));
  }

  protected whole(props: IProps): JSX.Element {
    return <Whole {...props} />;
  }
}

function Whole({ model, act, trans }: IProps): JSX.Element {
  const [filter, setFilter] = React.useState('');
  const [unfolded, setUnfolded] = React.useState<ReadonlySet<string>>(new Set(['tables', 'searches']));
  const rows = rowsOf(model, unfolded, filter, trans);
  return (
    <>
      <Head
        title={trans.__('Log search')}
        refresh={trans.__('Read the workspace anew')}
        onRefresh={() => model.refresh()}
      />
      <Workspace path={model.overview?.workspace} />
      <Filter
        placeholder={trans.__('Filter')}
        label={trans.__('Filter tables, columns, searches, functions and history')}
        text={filter}
        onChange={setFilter}
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
        <Tree
          rows={rows}
          label={trans.__('Workspace')}
          onToggle={id => setUnfolded(toggled(unfolded, id))}
          onAction={act}
        />
      )}
    </>
  );
}
