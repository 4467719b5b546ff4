/** States and streams in words and as meanings of colour. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Mark } from '../panel/sections';

const MARKS: Record<string, Mark> = {
  Completed: 'good', Ready: 'good', active: 'good', enabled: 'good',
  Starting: 'live', Running: 'live', Stopping: 'live', Resuming: 'live',
  Suspended: 'warning', Draining: 'warning', paused: 'warning', disabled: 'warning', expired: 'warning',
  Failed: 'bad', Silent: 'bad',
  New: 'quiet', Queued: 'quiet', Stopped: 'quiet', ended: 'quiet'
};

/** The meaning of a state; null for a word that is none. */
export function markOf(state: string): Mark | null {
  return MARKS[state] ?? null;
}

export function stateWord(state: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    New: trans.__('New'), Queued: trans.__('Queued'), Starting: trans.__('Starting'), Running: trans.__('Running'),
    Stopping: trans.__('Stopping'), Suspended: trans.__('Suspended'), Resuming: trans.__('Resuming'),
    Completed: trans.__('Completed'), Failed: trans.__('Failed'), Stopped: trans.__('Stopped'),
    Ready: trans.__('Ready'), Draining: trans.__('Draining'), Silent: trans.__('Silent'),
    active: trans.__('active'), paused: trans.__('paused'), ended: trans.__('ended'),
    enabled: trans.__('enabled'), disabled: trans.__('disabled'), expired: trans.__('expired')
  };
  return words[state] ?? state;
}

export function streamWord(stream: string, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    Output: trans.__('Output'), Error: trans.__('Error'), Warning: trans.__('Warning'), Verbose: trans.__('Verbose'),
    Progress: trans.__('Progress')
  };
  return words[stream] ?? stream;
}
