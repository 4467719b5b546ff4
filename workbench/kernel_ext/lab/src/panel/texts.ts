/** Numbers and times of the side panel as text. */
import type { TranslationBundle } from '@jupyterlab/translation';

export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `2026-11-23 14:02:07` of an ISO time in UTC. */
export function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** How long before `now` (ms since 1970) an ISO time was. */
export function ago(iso: string, now: number, trans: TranslationBundle): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  if (seconds < 0) {
    return trans.__('in the future');
  }
  const steps: [number, string][] = [
    [60, trans.__('%1 s ago', seconds)],
    [3_600, trans.__('%1 min ago', Math.floor(seconds / 60))],
    [172_800, trans.__('%1 h ago', Math.floor(seconds / 3_600))]
  ];
  const days = Math.floor(seconds / 86_400);
  return steps.find(([below]) => seconds < below)?.[1] ?? trans.__('%1 d ago', grouped(days));
}
