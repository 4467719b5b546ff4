/** Why the last button did nothing. */
import * as React from 'react';

import type { IMistake } from '../protocol';
import { sentence } from './texts';

interface IProps {
  mistake: IMistake | null;
  /** What is said where no answer came in time. */
  silent: string;
}

export function Mistake({ mistake, silent }: IProps): JSX.Element | null {
  return (
    mistake && (
      <p className="wb-Mistake" role="alert">
        {mistake.message === '' ? silent : sentence(mistake.code, mistake.message, mistake.hint)}
      </p>
    )
  );
}
