/** Why a side panel has nothing to show, and what can be done about it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { State } from './asking';

interface IProps {
  model: { readonly state: State; refresh(): Promise<void>; load(): Promise<void> };
  /** What is said where no notebook is open. */
  closed: string;
  trans: TranslationBundle;
}

export function Note({ model, closed, trans }: IProps): JSX.Element | null {
  const { state } = model;
  const note = (text: string, verb?: string, act?: () => Promise<void>): JSX.Element => (
    <div className="wb-Panel-note" role="status">
      <p>{text}</p>
      {verb && (
        <button className="jp-mod-styled jp-mod-accept" onClick={() => void act?.()}>
          {verb}
        </button>
      )}
    </div>
  );
  const again = (): Promise<void> => model.refresh();
  switch (state.kind) {
    case 'no notebook':
      return note(closed);
    case 'no kernel':
      return note(trans.__('This notebook has no kernel.'));
    case 'not loaded':
      return note(trans.__('This notebook has not loaded Workbench yet.'), trans.__('Load Workbench'), () => model.load());
    case 'loading':
      return note(trans.__('Reading the workspace …'));
    case 'no answer':
      return note(trans.__('The kernel gave no answer. What is shown may be old.'), trans.__('Try again'), again);
    case 'refused':
      return note(
        [`${state.code}: ${state.message}.`, state.hint ?? ''].join('\n').trim(),
        trans.__('Try again'),
        again
      );
    case 'ready':
      return null;
  }
}
