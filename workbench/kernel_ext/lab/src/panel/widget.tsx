/** What every side panel is: named to who can't see it, its model told when it can be seen, drawn as that changes. */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

interface IModel {
  readonly changed: ISignal<unknown, void>;
  visible: boolean;
}

export abstract class SidePanel<P extends { model: IModel }> extends ReactWidget {
  constructor(
    protected readonly props: P,
    label: string
  ) {
    super();
    this.addClass('wb-Panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', label);
  }

  /** The panel as it is now. */
  protected abstract whole(props: P): JSX.Element;

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.props.model.visible = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.props.model.visible = false;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('.wb-Panel-filter, .wb-Panel-back')?.focus();
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.props.model.changed}>{() => this.whole(this.props)}</UseSignal>;
  }
}
