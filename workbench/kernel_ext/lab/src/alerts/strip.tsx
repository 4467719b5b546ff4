/** The last evaluations of a rule as bars against its threshold; what was violated, failed or empty has its own shape. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { moment } from '../panel/texts';
import type { IAlertTerms, IEvaluation } from '../protocol';
import { measured, stateWord } from './words';

const MOST = 20;
const STEP = 12;
const HEIGHT = 48;
const TOP = 4;

interface IProps {
  evaluations: IEvaluation[];
  terms: IAlertTerms;
  trans: TranslationBundle;
}

export function Strip({ evaluations, terms, trans }: IProps): JSX.Element {
  const shown = evaluations.slice(-MOST);
  const values = shown.flatMap(one => (one.value === null ? [] : [one.value]));
  const most = Math.max(terms.threshold, ...values, 0);
  const least = Math.min(terms.threshold, ...values, 0);
  const place = (value: number): number =>
    most === least ? HEIGHT : TOP + ((most - value) / (most - least)) * (HEIGHT - TOP);
  const violated = shown.filter(one => one.violated > 0).length;
  const failed = shown.filter(one => one.health === 'Error').length;
  const last = shown[shown.length - 1];
  const told = trans.__(
    'The last %1 evaluations: %2 violated, %3 failed; the threshold is %4',
    shown.length,
    violated,
    failed,
    measured(terms.threshold)
  );
  return (
    <div className="wb-Strip">
      <svg
        viewBox={`0 0 ${MOST * STEP} ${HEIGHT + 1}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={told}
      >
        {shown.map((one, at) => (
          <Bar
            key={one.at}
            one={one}
            x={(MOST - shown.length + at) * STEP + 1}
            zero={place(0)}
            top={one.value === null ? HEIGHT : place(one.value)}
            trans={trans}
          />
        ))}
        <line className="wb-Strip-threshold" x1={0} x2={MOST * STEP} y1={place(terms.threshold)} y2={place(terms.threshold)} />
      </svg>
      <p className="wb-Strip-told">
        {last
          ? trans.__('Last %1 UTC: %2', moment(last.at), wordsOf(last, trans))
          : trans.__('Not evaluated yet')}
      </p>
    </div>
  );
}

interface IBarProps {
  one: IEvaluation;
  x: number;
  zero: number;
  top: number;
  trans: TranslationBundle;
}

function Bar({ one, x, zero, top, trans }: IBarProps): JSX.Element {
  const width = STEP - 2;
  const kind = one.health === 'OK' ? (one.violated > 0 ? 'violated' : 'fine') : one.health;
  const title = <title>{`${moment(one.at)} UTC: ${wordsOf(one, trans)}`}</title>;
  if (kind === 'Error') {
    const [y, size] = [HEIGHT / 2, 4];
    const middle = x + width / 2;
    return (
      <g className="wb-Strip-bar wb-mod-Error">
        {title}
        <path d={`M${middle - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`} />
      </g>
    );
  }
  // What is nothing still has a place to point at.
  const height = Math.max(2, Math.abs(zero - top));
  return (
    <rect className={`wb-Strip-bar wb-mod-${kind}`} x={x} y={Math.min(zero, top, HEIGHT - 1)} width={width} height={height}>
      {title}
    </rect>
  );
}

/** `12 of 40 records, violated, 31 ms`. */
export function wordsOf(one: IEvaluation, trans: TranslationBundle): string {
  if (one.health !== 'OK') {
    return stateWord(one.health, trans);
  }
  const judged = one.violated > 0 ? trans.__('violated') : trans.__('not violated');
  return trans.__('%1, %2, %3 ms', measured(one.value), judged, one.milliseconds);
}
