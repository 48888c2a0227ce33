/**
 * Text from outside, without what a reader would not see: characters of no width, marks that turn the direction, tags,
 * variation selectors and control characters. All of them have carried instructions past people to a language model.
 *
 * 1. Line feed and tab are the only control characters left; whatever else breaks a line has become a line feed.
 * 2. It costs the joiners of some scripts and emoji, which a model reads without.
 */
import { whole } from './chunking/span.ts';

const BREAK = /\r\n?|[\v\f\u0085\u2028\u2029]/g;
/** Default_Ignorable_Code_Point is Unicode's list of what shows nothing; what annotates between lines is not on it. */
const HIDDEN = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]|(?![\n\t])\p{Cc}/gu;

export interface Visible {
  readonly text: string;
  /** How many characters were taken out. */
  readonly hidden: number;
}

export function visible(text: string): Visible {
  let hidden = 0;
  const shown = text
    .toWellFormed()
    .replace(BREAK, '\n')
    .replace(HIDDEN, () => {
      hidden++;
      return '';
    });
  return { text: shown, hidden };
}

/** On one line, shortened to so many units. */
export const visibleLine = (text: string, longest: number): string => {
  const line = visible(text.slice(0, 4 * longest))
    .text.replace(/\s+/g, ' ')
    .trim();
  return line.length <= longest ? line : `${line.slice(0, whole(line, longest - 1))}…`;
};
