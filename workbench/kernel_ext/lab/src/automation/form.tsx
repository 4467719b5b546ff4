/** The form that starts a runbook, made from what its parameters cell declares. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Mistake } from '../panel/mistake';
import { sentence } from '../panel/texts';
import type { IMistake, IParameter, IRunbook, IStart } from '../protocol';
import type { AutomationModel } from './model';

interface IProps {
  model: AutomationModel;
  runbook: IRunbook;
  groups: string[];
  trans: TranslationBundle;
}

const LIMITS = ['timeout', 'retries'] as const;

export function StartForm({ model, runbook, groups, trans }: IProps): JSX.Element {
  const [typed, setTyped] = React.useState<Record<string, string>>({});
  const [mistakes, setMistakes] = React.useState<Record<string, IMistake>>({});
  const [group, setGroup] = React.useState('default');
  const [limits, setLimits] = React.useState<Record<string, string>>({ timeout: '0', retries: '0' });
  const [isBusy, setBusy] = React.useState(false);
  const form = React.useRef<HTMLFormElement>(null);

  // The first field is where the typing starts, and where a mistake is.
  React.useEffect(() => form.current?.querySelector<HTMLElement>('input, select, textarea, button')?.focus(), []);
  React.useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus(), [mistakes]);

  const start = async (): Promise<void> => {
    const asked: IStart = { runbook: runbook.name, values: typed, group };
    for (const name of LIMITS) {
      // Whole numbers from 0 on: the browser submits no form with anything else in these fields.
      asked[name] = Number(limits[name]);
    }
    setBusy(true);
    const found = await model.start(asked);
    setBusy(false);
    setMistakes(found);
  };
  return (
    <form
      ref={form}
      className="wb-Form"
      aria-label={trans.__('Start %1', runbook.name)}
      onSubmit={event => {
        event.preventDefault();
        if (!isBusy) {
          void start();
        }
      }}
    >
      {runbook.description !== '' && <p className="wb-Form-about">{runbook.description}</p>}
      {runbook.parameters.length === 0 && <p className="wb-Form-about">{trans.__('It takes no parameters.')}</p>}
      {runbook.parameters.map(parameter => (
        <Field
          key={parameter.name}
          parameter={parameter}
          text={typed[parameter.name] ?? initial(parameter)}
          mistake={mistakes[parameter.name]}
          trans={trans}
          onChange={text => setTyped({ ...typed, [parameter.name]: text })}
        />
      ))}
      <details className="wb-Form-more">
        <summary>{trans.__('Where and how long')}</summary>
        <label className="wb-Form-label" htmlFor="wb-form-group">
          {trans.__('Worker group')}
        </label>
        <input
          id="wb-form-group"
          className="jp-mod-styled"
          list="wb-form-groups"
          value={group}
          onChange={event => setGroup(event.target.value)}
        />
        <datalist id="wb-form-groups">
          {groups.map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {LIMITS.map(name => (
          <React.Fragment key={name}>
            <label className="wb-Form-label" htmlFor={`wb-form-${name}`}>
              {name === 'timeout' ? trans.__('Limit in seconds (0: none)') : trans.__('Tries after a failure')}
            </label>
            <input
              id={`wb-form-${name}`}
              className="jp-mod-styled"
              type="number"
              min={0}
              step={1}
              value={limits[name]}
              onChange={event => setLimits({ ...limits, [name]: event.target.value })}
            />
          </React.Fragment>
        ))}
      </details>
      <Mistake
        mistake={model.mistake}
        silent={trans.__('No answer in time: look at the jobs before starting it again.')}
      />
      <div className="wb-Form-act">
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={isBusy}>
          {trans.__('Start')}
        </button>
      </div>
    </form>
  );
}

interface IFieldProps {
  parameter: IParameter;
  text: string;
  mistake: IMistake | undefined;
  trans: TranslationBundle;
  onChange: (text: string) => void;
}

function Field({ parameter, text, mistake, trans, onChange }: IFieldProps): JSX.Element {
  const id = `wb-parameter-${parameter.name}`;
  const told = [mistake ? `${id}-mistake` : '', `${id}-help`].filter(name => name !== '').join(' ');
  const about = {
    id,
    'aria-invalid': mistake !== undefined,
    'aria-required': parameter.required,
    'aria-describedby': told,
    className: 'jp-mod-styled',
    value: text,
    onChange: (event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>): void =>
      onChange(event.target.value)
  };
  const choices = parameter.choices?.map(written) ?? (parameter.type === 'bool' ? ['true', 'false'] : null);
  return (
    <div className="wb-Form-field">
      <label className="wb-Form-label" htmlFor={id}>
        <span className="wb-Form-name">{parameter.name}</span>
        <span className="wb-Form-type">
          {parameter.required ? trans.__('%1, required', typeWord(parameter, trans)) : typeWord(parameter, trans)}
        </span>
      </label>
      {choices !== null ? (
        <select {...about}>
          {!choices.includes(text) && <option value={text}>{text === '' ? trans.__('Choose …') : text}</option>}
          {choices.map(choice => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : parameter.type === 'list' || parameter.type === 'dict' ? (
        <textarea {...about} rows={3} spellCheck={false} />
      ) : (
        <input
          {...about}
          type="text"
          inputMode={parameter.type === 'int' || parameter.type === 'float' ? 'decimal' : 'text'}
          spellCheck={false}
          autoComplete="off"
        />
      )}
      {mistake && (
        <p id={`${id}-mistake`} className="wb-Mistake" role="alert">
          {sentence(mistake.code, mistake.message, mistake.hint)}
        </p>
      )}
      <p id={`${id}-help`} className="wb-Form-help">
        {parameter.help}
      </p>
    </div>
  );
}

/** What stands in a field before anything is typed. */
function initial(parameter: IParameter): string {
  return parameter.required || parameter.default === null || parameter.default === undefined
    ? ''
    : written(parameter.default);
}

/** A value as it is typed: a text as itself, all else as JSON. */
function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function typeWord(parameter: IParameter, trans: TranslationBundle): string {
  const words: Record<IParameter['type'], string> = {
    str: trans.__('text'), int: trans.__('whole number'), float: trans.__('number'), bool: trans.__('true or false'),
    list: trans.__('list, as JSON'), dict: trans.__('object, as JSON'), any: trans.__('JSON or text')
  };
  return words[parameter.type];
}
