/** Changes of a cell's text. */

export interface IText {
  updateSource(start: number, end: number, value?: string): void;
}

/** Change only what differs, so that the cursor stays where it can. */
export function replace(text: IText, before: string, after: string): void {
  let start = 0;
  while (start < before.length && before[start] === after[start]) {
    start += 1;
  }
  let left = before.length;
  let right = after.length;
  while (left > start && right > start && before[left - 1] === after[right - 1]) {
    left -= 1;
    right -= 1;
  }
  text.updateSource(start, left, after.slice(start, right));
}
