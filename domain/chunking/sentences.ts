/**
 * Where sentences end, told by rules of our own. Intl.Segmenter ends one at every line break and after "Dr." and "e.g.",
 * and its rules come with the ICU of the running Node: an upgrade would cut other chunks out of the same documents.
 *
 * When in doubt a sentence goes on: two in one piece do less harm than one in two.
 */
import { firstInk, type Span, trimmed } from './span.ts';

/** Marks that may end a sentence with what closes it; a blank line; a line that begins an item, a heading or a row. */
const CANDIDATE =
  /(?<mark>[.!?…]+)["'”’»)\]]*|[。！？｡]+["'”’»」』）]*|\n[^\S\n]*\n|\n(?=[^\S\n]*(?:\||(?:[-*+>]|#{1,6}|\d{1,9}[.)])[^\S\n]))/gu;
const CLOSED = /^[。！？｡\n]/u;
const LOWER = /^\p{Ll}/u;
const INITIAL = /^\p{L}$/u;
const DOTTED = /^(?:\p{L}\.)+\p{L}$/u;
const NUMBER = /^\d{1,9}$/;
const WORD = /[^\s()[\]{}"'“”‘’«»]*$/u;
const LONGEST_WORD = 20;
/** Beyond so much white space the next letter says nothing about this sentence. */
const NEAR = 200;
/** So much is looked at beyond `to`, because what follows decides. */
const AHEAD = 16;

const ABBREVIATIONS = new Set(
  (
    'abb abs al approx apr asst aug bd betr bzgl bzw ca cf chap co corp dec dept dipl dr ed eds eq eqs esp est etc ' +
    'evtl excl feb fig figs ggf gen gov hr hrsg inc incl ing jan jr jul jun kap ltd max min mr mrs nov nr oct p pp pres ' +
    'prof refs resp sec sen sep sept sog sr st tel usw vgl vol vols vs'
  ).split(' '),
);

/** Ends of sentences after `from`, up to `to`; the end of a text is one only where a mark or a blank line says so. */
export function sentenceEnds(text: string, from: number, to: number): number[] {
  const ends: number[] = [];
  for (const match of text.slice(from, to + AHEAD).matchAll(CANDIDATE)) {
    const start = from + match.index;
    const isBreak = CLOSED.test(match[0]);
    const end = match[0].startsWith('\n') ? start : start + match[0].length;
    if (end > to) break;
    if (end > from && (isBreak || endsHere(text, start, end, match.groups?.mark === '.'))) ends.push(end);
  }
  return ends;
}

/** Every sentence, without the white space between them: together they hold all that is not blank. */
export function sentencesOf(text: string): Span[] {
  const sentences: Span[] = [];
  let start = 0;
  for (const end of [...sentenceEnds(text, 0, text.length), text.length]) {
    const span = trimmed(text, start, end);
    if (span.end > span.start) sentences.push(span);
    start = end;
  }
  return sentences;
}

/** A mark ends a sentence where white space follows it and then no small letter, and where it is no abbreviation's. */
function endsHere(text: string, mark: number, end: number, isPoint: boolean): boolean {
  if (end === text.length) return true;
  const next = firstInk(text, end, Math.min(text.length, end + NEAR));
  if (next === end || LOWER.test(text.slice(next, next + 2))) return false;
  return !isPoint || !isAbbreviated(text, mark);
}

function isAbbreviated(text: string, mark: number): boolean {
  const word = WORD.exec(text.slice(Math.max(0, mark - LONGEST_WORD), mark))?.[0] ?? '';
  if (NUMBER.test(word)) return beginsLine(text, mark - word.length);
  if (word === 'I') return false;
  return INITIAL.test(word) || DOTTED.test(word) || ABBREVIATIONS.has(word.toLowerCase());
}

/** "1." at the beginning of a line counts the line. */
function beginsLine(text: string, word: number): boolean {
  let at = word;
  while (at > word - LONGEST_WORD && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
  return at === 0 || text[at - 1] === '\n';
}
