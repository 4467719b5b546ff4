/** What the side panel knows of the workspace behind the notebook in front. */
import type { Channel } from '../channel';
import type { IFacts, IOverview, IPast } from '../protocol';
import { AskingModel } from './asking';

const PATIENCE = 20_000;
/** Tables whose facts are asked for at once: each needs a look into its log. */
const BATCH = 20;

export class PanelModel extends AskingModel {
  overview: IOverview | null = null;
  facts: Record<string, IFacts> = {};
  history: IPast[] = [];

  async refresh(): Promise<void> {
    const turn = this.begin();
    const channel = this.channel();
    if (channel === null) {
      this.forget();
      return;
    }
    if (this.overview === null) {
      this.become({ kind: 'loading' });
    }
    await this.asking(turn, async () => {
      const overview = await channel.ask('overview', {}, PATIENCE);
      const history = await channel.ask('history', {}, PATIENCE);
      if (turn !== this.turn) {
        return;
      }
      this.overview = overview;
      this.history = history;
      this.become({ kind: 'ready' });
      await this.count(channel, turn, overview.tables.map(table => table.name));
    });
  }

  protected forget(): void {
    this.overview = null;
    this.facts = {};
    this.history = [];
    this.changedSignal.emit();
  }

  private async count(channel: Channel, turn: number, names: string[]): Promise<void> {
    for (let at = 0; at < names.length && turn === this.turn; at += BATCH) {
      const found = await channel.ask('facts', { tables: names.slice(at, at + BATCH) }, PATIENCE);
      this.facts = { ...this.facts, ...found };
      this.changedSignal.emit();
    }
  }
}
