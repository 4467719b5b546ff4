/** What a rule would measure now, against its threshold, and whether it would fire. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fact } from '../panel/fact';
import { grouped, moment } from '../panel/texts';
import type { IAlertPreview } from '../protocol';
import { measured } from './words';

interface IProps {
  preview: IAlertPreview;
  /** Whether the text is another one by now. */
  isOld: boolean;
  trans: TranslationBundle;
}

export function Preview({ preview, isOld, trans }: IProps): JSX.Element {
  const violated = preview.violated > 0;
  return (
    <section className="wb-Preview" aria-label={trans.__('Preview')}>
      <p className="wb-Preview-answer" role="status">
        <span className={`wb-mark wb-mod-${violated ? 'bad' : 'good'}`}>{verdict(preview, trans)}</span>
        {isOld && <span className="wb-Preview-old">{trans.__('of the text before it was changed')}</span>}
      </p>
      <dl className="wb-Job-facts">
        <Fact name={trans.__('When')} value={preview.when} />
        <Fact
          name={trans.__('Window')}
          value={trans.__('%1 to %2 UTC, by when records came in', moment(preview.start), moment(preview.end))}
        />
        <Fact name={trans.__('Records')} value={grouped(preview.count)} />
      </dl>
      {!preview.each_row && <Groups preview={preview} trans={trans} />}
      {preview.records.length > 0 && <Records preview={preview} trans={trans} />}
    </section>
  );
}

/** One sentence on whether it would fire. */
function verdict(preview: IAlertPreview, trans: TranslationBundle): string {
  const { violated, groups, failing, periods } = preview;
  if (violated === 0) {
    return trans.__('It would not fire now.');
  }
  if (preview.each_row) {
    return trans._n('It would fire now: %1 alert.', 'It would fire now: %1 alerts, one a record.', violated, grouped(violated));
  }
  if (failing > 1) {
    return trans.__('Violated now: it would fire when %1 of %2 evaluations are.', failing, periods);
  }
  return groups.some(group => Object.keys(group.dimensions).length > 0)
    ? trans._n('It would fire now, for %1 combination.', 'It would fire now, for %1 combinations.', violated, grouped(violated))
    : trans.__('It would fire now.');
}

function Groups({ preview, trans }: Omit<IProps, 'isOld'>): JSX.Element {
  const names = Object.keys(preview.groups[0]?.dimensions ?? {});
  return (
    <table className="wb-Alert-table">
      <thead>
        <tr>
          {names.map(name => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col" className="wb-mod-number">
            {trans.__('Measured')}
          </th>
          <th scope="col" className="wb-mod-number">
            {trans.__('Records')}
          </th>
          <th scope="col">{preview.when}</th>
        </tr>
      </thead>
      <tbody>
        {preview.groups.map((group, at) => (
          <tr key={at}>
            {names.map(name => (
              <td key={name} title={group.dimensions[name]}>
                {group.dimensions[name]}
              </td>
            ))}
            <td className="wb-mod-number">{measured(group.value)}</td>
            <td className="wb-mod-number">{grouped(group.count)}</td>
            <td>
              <span className={`wb-mark wb-mod-${group.violated ? 'bad' : 'good'}`}>
                {group.value === null ? trans.__('no data') : group.violated ? trans.__('violated') : trans.__('not violated')}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Records({ preview, trans }: Omit<IProps, 'isOld'>): JSX.Element {
  return (
    <details>
      <summary>
        {trans.__('The first %1 of %2 records', preview.records.length, grouped(preview.count))}
      </summary>
      <div className="wb-Preview-records" tabIndex={0} role="region" aria-label={trans.__('Records')}>
        <table className="wb-Alert-table">
          <thead>
            <tr>
              {preview.columns.map(column => (
                <th key={column.name} scope="col" title={column.type}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.records.map((record, at) => (
              <tr key={at}>
                {record.map((value, place) => (
                  <td key={place} title={written(value)}>
                    {written(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** A value as text; null is a dash, an empty text is nothing. */
function written(value: unknown): string {
  return value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
}
