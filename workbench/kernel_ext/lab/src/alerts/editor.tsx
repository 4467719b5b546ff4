/** A rule's text as it is written: YAML with what is wrong underlined and listed, what it would measure now, and its keeping. */
import { EditorView } from '@codemirror/view';
import { CodeEditor, type IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { findings, type IFindingSettings } from '../editor/findings';
import { toUnits } from '../offsets';
import { Mistake } from '../panel/mistake';
import { sentence } from '../panel/texts';
import { NoAnswer, Refused, type IAlertPreview, type IFinding, type IMistake } from '../protocol';
import type { Ask } from './model';
import { Preview } from './preview';

export interface IEditorProps {
  /** The rule that is changed; null for one that is made. */
  rule: string | null;
  text: string;
  ask: Ask;
  editors: IEditorServices;
  settings: () => IFindingSettings;
  onDirty: (isDirty: boolean) => void;
  onSaved: (rule: string) => void;
  trans: TranslationBundle;
}

export class RuleEditor extends ReactWidget {
  constructor(private readonly props: IEditorProps) {
    super();
    this.addClass('wb-RuleEditor');
    this.node.setAttribute('aria-label', props.trans.__('Text of an alert rule'));
  }

  protected override render(): JSX.Element {
    return <Whole {...this.props} />;
  }
}

type Doing = 'nothing' | 'preview' | 'save';

function Whole(props: IEditorProps): JSX.Element {
  const { ask, trans } = props;
  const [text, setText] = React.useState(props.text);
  const [rule, setRule] = React.useState(props.rule);
  const [saved, setSaved] = React.useState(props.rule === null ? '' : props.text);
  const [found, setFound] = React.useState<IFinding[]>([]);
  const [doing, setDoing] = React.useState<Doing>('nothing');
  const [mistake, setMistake] = React.useState<IMistake | null>(null);
  const [preview, setPreview] = React.useState<{ of: string; answer: IAlertPreview } | null>(null);
  const isDirty = text !== saved && !(rule === null && text === props.text);
  React.useEffect(() => props.onDirty(isDirty), [isDirty]);

  const find = async (code: string): Promise<IFinding[]> => {
    try {
      const told = await ask('alertFindings', { text: code });
      setFound(told);
      return told.filter(isPlaced);
    } catch {
      // Preview and saving tell why nobody answers.
      return [];
    }
  };
  const act = async (what: Doing, does: () => Promise<void>): Promise<void> => {
    if (doing !== 'nothing') {
      return;
    }
    setDoing(what);
    setMistake(null);
    try {
      await does();
    } catch (error) {
      setMistake(
        error instanceof Refused
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: '', message: '', hint: null }
      );
      if (!(error instanceof Refused || error instanceof NoAnswer)) {
        throw error;
      }
    } finally {
      setDoing('nothing');
    }
  };
  const look = (): Promise<void> =>
    act('preview', async () => setPreview({ of: text, answer: await ask('alertPreview', { text }) }));
  const save = (): Promise<void> =>
    act('save', async () => {
      const kept = await ask('saveRule', { text, rule });
      setRule(kept.rule);
      setSaved(text);
      props.onSaved(kept.rule);
    });

  return (
    <div className="wb-RuleEditor-page">
      <Code {...props} find={find} onChange={setText} />
      <div className="wb-RuleEditor-told">
        <ul className="wb-RuleEditor-findings" aria-label={trans.__('What is wrong')}>
          {found.map((one, at) => (
            <li key={at} className={`wb-mod-${one.severity}`}>
              {isPlaced(one) && <span className="wb-RuleEditor-place">{placeOf(one, text)}</span>}
              <span>{sentence(one.code, one.message, one.hint)}</span>
            </li>
          ))}
        </ul>
        <Mistake mistake={mistake} silent={trans.__('No answer: its notebook may be closed, or its kernel busy.')} />
        <div className="wb-RuleEditor-act">
          <span className="wb-RuleEditor-state" role="status">
            {doing === 'preview'
              ? trans.__('Asking what it would measure …')
              : doing === 'save'
                ? trans.__('Saving …')
                : rule !== null && !isDirty
                  ? trans.__('Saved as "%1"', rule)
                  : trans.__('Not saved')}
          </span>
          <button className="jp-mod-styled" disabled={doing !== 'nothing'} onClick={() => void look()}>
            {trans.__('Preview')}
          </button>
          <button className="jp-mod-styled jp-mod-accept" disabled={doing !== 'nothing'} onClick={() => void save()}>
            {trans.__('Save rule')}
          </button>
        </div>
        {preview && <Preview preview={preview.answer} isOld={preview.of !== text} trans={trans} />}
      </div>
    </div>
  );
}

interface ICodeProps extends IEditorProps {
  find: (text: string) => Promise<IFinding[]>;
  onChange: (text: string) => void;
}

/** The editor itself; it lives as long as the page. */
function Code({ editors, text, settings, find, onChange, trans }: ICodeProps): JSX.Element {
  const host = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (host.current === null) {
      return;
    }
    const model = new CodeEditor.Model({ mimeType: 'text/x-yaml' });
    model.sharedModel.setSource(text);
    const editor = editors.factoryService.newDocumentEditor({
      host: host.current,
      model,
      config: { scrollPastEnd: false, lineWrap: true },
      extensions: [
        EditorView.editorAttributes.of({ class: 'wb-Rule' }),
        EditorView.contentAttributes.of({ 'aria-label': trans.__('Text of the rule, in YAML') }),
        findings(find, settings)
      ]
    });
    const changed = (): void => onChange(model.sharedModel.getSource());
    model.sharedModel.changed.connect(changed);
    editor.focus();
    return () => {
      model.sharedModel.changed.disconnect(changed);
      editor.dispose();
      model.dispose();
    };
  }, []);
  return <div ref={host} className="wb-RuleEditor-code" />;
}

/** What is unwise in the whole rule stands nowhere. */
function isPlaced(one: IFinding): boolean {
  return one.span[1] > one.span[0];
}

/** Line and column, from 1. */
function placeOf(one: IFinding, text: string): string {
  const before = text.slice(0, toUnits(one.span[0], text)).split('\n');
  return `${before.length}:${[...(before[before.length - 1] ?? '')].length + 1}`;
}
