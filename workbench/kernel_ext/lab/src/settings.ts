/** The user's settings (`schema/plugin.json`), as they are now. */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

export interface IOptions {
  diagnostics: boolean;
  delay: number;
  formatWidth: number;
}

export class Options {
  readonly now: IOptions = { diagnostics: true, delay: 350, formatWidth: 100 };

  /** Follow the registry; `changed` is called at every change. */
  async follow(registry: ISettingRegistry, id: string, changed: () => void): Promise<void> {
    const settings = await registry.load(id);
    const read = (): void => {
      Object.assign(this.now, settings.composite);
      changed();
    };
    settings.changed.connect(read);
    read();
  }
}
