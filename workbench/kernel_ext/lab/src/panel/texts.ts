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

/** `1.2 s`, `3 min 20 s`, `2 h 5 min` of milliseconds. */
export function duration(ms: number, trans: TranslationBundle): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) {
    return trans.__('%1 s', seconds.toFixed(1));
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? trans.__('%1 min %2 s', minutes, whole % 60)
    : trans.__('%1 h %2 min', grouped(Math.floor(minutes / 60)), minutes % 60);
}

/** `CODE: sentence.` and its hint on a line of its own. */
export function sentence(code: string, message: string, hint: string | null): string {
  const told = code === '' ? message : `${code}: ${message}`;
  return hint ? `${told}.\n${hint}` : `${told}.`;
}
