/** Places in a text: the kernel counts characters, the editor units of UTF-16. */
import { Text } from '@jupyterlab/coreutils';

export const toCharacters = (unit: number, text: string): number => Text.jsIndexToCharIndex(unit, text);
export const toUnits = (character: number, text: string): number => Text.charIndexToJsIndex(character, text);
