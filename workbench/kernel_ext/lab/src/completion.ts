/** Completion in log search cells, from the language service; what JupyterLab offers else stays out of the way. */
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type {
  CompletionHandler,
  ICompletionContext,
  ICompletionProvider,
  ICompletionProviderManager
} from '@jupyterlab/completer';

import type { Channel } from './channel';
import type { Channels } from './channels';
import { isLogSearch } from './kql/languages';
import type { IItem } from './protocol';

const OTHERS = ['CompletionProvider:kernel', 'CompletionProvider:context'];

/** The parts of the concrete manager that its interface does not tell of. */
interface IProviders {
  getProviders?: () => Map<string, ICompletionProvider>;
}

export class QueryCompletion implements ICompletionProvider {
  readonly identifier = 'workbench:logsearch';
  readonly rank = 1100;
  readonly renderer = null;

  constructor(private readonly channels: Channels) {}

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    return this.channel(context.editor) !== null;
  }

  async fetch(
    request: CompletionHandler.IRequest,
    context: ICompletionContext
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const channel = this.channel(context.editor);
    const found = await channel?.ask('complete', { code: request.text, position: request.offset });
    if (!found) {
      return { start: request.offset, end: request.offset, items: [] };
    }
    const [start, end] = found.replace;
    return { start, end, items: found.items.map(shown) };
  }

  /**
   * Leave log search cells to this provider while the kernel answers it.
   *
   * JupyterLab shows nothing before the slowest provider has answered, and the kernel's own completer waits for
   * the cell that runs; what it would say of a query is the same. Where nobody answers us, both are back.
   */
  setOthersAside(manager: ICompletionProviderManager): void {
    const providers = (manager as IProviders).getProviders?.();
    for (const id of OTHERS) {
      const other = providers?.get(id);
      if (other) {
        const usual = other.isApplicable.bind(other);
        other.isApplicable = async context => this.channel(context.editor) === null && (await usual(context));
      }
    }
  }

  private channel(editor: CodeEditor.IEditor | null | undefined): Channel | null {
    return editor && isLogSearch(editor.model.mimeType) ? this.channels.ofModel(editor.model) : null;
  }
}

function shown(item: IItem): CompletionHandler.ICompletionItem {
  const told = [item.detail, item.doc].filter(text => text !== '').join('\n\n');
  return { label: item.label, insertText: item.insert, type: item.kind, documentation: told };
}
