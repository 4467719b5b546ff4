/** The tabs in which rules are written: one a rule; a text that was not saved is not closed without a question. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, MainAreaWidget, showDialog } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';

import type { IFindingSettings } from '../editor/findings';
import { RuleEditor } from './editor';
import type { AlertsModel } from './model';

export class RuleTabs {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly model: AlertsModel,
    private readonly editors: IEditorServices,
    private readonly settings: () => IFindingSettings,
    /** Where they go: the main area of Notebook 7 holds one widget, so there they stand at the right. */
    private readonly area: 'main' | 'right',
    private readonly trans: TranslationBundle
  ) {}

  /** Write a rule, or a new one for null; brings the tab to the front where there is one. */
  async open(rule: string | null): Promise<void> {
    const there = this.tabs.find(tab => tab.rule === rule);
    if (there) {
      this.app.shell.activateById(there.id);
      return;
    }
    const begun = await this.model.begun(rule);
    if (begun === null) {
      return;
    }
    const editor = new RuleEditor({
      rule,
      ...begun,
      editors: this.editors,
      settings: this.settings,
      onDirty: isDirty => tab.become(tab.rule, isDirty),
      onSaved: name => {
        tab.become(name, false);
        void this.model.refresh();
      },
      trans: this.trans
    });
    const tab = new RuleTab(editor, rule, this.trans);
    tab.id = `workbench-rule-${++this.last}`;
    this.tabs.push(tab);
    tab.disposed.connect(() => void this.tabs.splice(this.tabs.indexOf(tab), 1));
    this.app.shell.add(tab, this.area, { rank: 901 });
    this.app.shell.activateById(tab.id);
  }

  private readonly tabs: RuleTab[] = [];
  private last = 0;
}

class RuleTab extends MainAreaWidget<RuleEditor> {
  constructor(
    content: RuleEditor,
    public rule: string | null,
    private readonly trans: TranslationBundle
  ) {
    super({ content });
    this.toolbar.hide();
    this.title.closable = true;
    this.become(rule, false);
  }

  /** Have this name, and whether there is something to save. */
  become(rule: string | null, isDirty: boolean): void {
    this.rule = rule;
    this.isDirty = isDirty;
    this.title.label = rule ?? this.trans.__('New rule');
    this.title.caption = rule === null ? this.trans.__('New alert rule') : this.trans.__('Alert rule %1', rule);
    this.title.className = isDirty ? 'jp-mod-dirty' : '';
  }

  protected override onCloseRequest(message: Message): void {
    if (!this.isDirty) {
      super.onCloseRequest(message);
      return;
    }
    void showDialog({
      title: this.trans.__('Close without saving?'),
      body: this.trans.__('What was changed in "%1" is lost.', this.title.label),
      buttons: [
        Dialog.cancelButton({ label: this.trans.__('Go on writing') }),
        Dialog.warnButton({ label: this.trans.__('Close') })
      ]
    }).then(answer => {
      if (answer.button.accept) {
        this.dispose();
      }
    });
  }

  private isDirty = false;
}
