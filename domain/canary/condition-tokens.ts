/** The words and numbers of a condition, each with the place where it begins. */
import { PawlError } from '../../contracts/failures.ts';

export interface Token {
  readonly kind: 'number' | 'word' | 'sign' | 'end';
  readonly text: string;
  /** Of a number, with its unit reckoned in: `3%` is 0.03, `2s` is 2,000. */
  readonly value: number;
  readonly at: number;
}

export const LONGEST_CONDITION = 500;

/** The longer ones first. */
const SIGNS = ['<=', '>=', '==', '!=', '<', '>', '+', '-', '*', '/', '(', ')', ',', '.'] as const;
/** By how many powers of ten; a duration is in milliseconds, as latencies are. */
const UNITS: Readonly<Record<string, number>> = { '': 0, '%': -2, ms: 0, s: 3 };
/** What people who come from other languages write. */
const MEANT: Readonly<Record<string, string>> = { '&': 'and', '|': 'or', '!': 'not', '=': '==' };

export const conditionError = (text: string, at: number, what: string, hint: string): PawlError =>
  new PawlError('ConfigInvalid', `The condition ${JSON.stringify(text.slice(0, 120))}, at ${at + 1}: ${what}`, {
    hint,
  });

const isDigit = (one: string | undefined): boolean => one !== undefined && one >= '0' && one <= '9';
const isLetter = (one: string | undefined): boolean =>
  one !== undefined && ((one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || one === '_');
const isSpace = (one: string | undefined): boolean => one === ' ' || one === '\t' || one === '\n' || one === '\r';

export const tokensOf = (text: string): readonly Token[] => {
  if (text.length > LONGEST_CONDITION) {
    const what = `it is ${text.length} characters long, ${LONGEST_CONDITION} is the most`;
    throw conditionError(text, LONGEST_CONDITION, what, 'Split it over several measures.');
  }
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    while (isSpace(text[at])) at += 1;
    const token = tokenAt(text, at);
    tokens.push(token);
    if (token.kind === 'end') return tokens;
    at += token.text.length;
  }
};

const tokenAt = (text: string, at: number): Token => {
  const first = text[at];
  if (first === undefined) return { kind: 'end', text: '', value: 0, at };
  if (isDigit(first) || (first === '.' && isDigit(text[at + 1]))) return numberAt(text, at);
  if (isLetter(first)) return { kind: 'word', text: text.slice(at, after(text, at, isLetter)), value: 0, at };
  const sign = SIGNS.find((one) => text.startsWith(one, at));
  if (sign !== undefined) return { kind: 'sign', text: sign, value: 0, at };
  const meant = MEANT[first];
  const hint =
    meant === undefined ? 'It may hold numbers, result, baseline, + - * / and comparisons.' : `Write ${meant}.`;
  throw conditionError(text, at, `${JSON.stringify(first)} means nothing here`, hint);
};

const numberAt = (text: string, at: number): Token => {
  let end = after(text, at, isDigit);
  if (text[end] === '.' && isDigit(text[end + 1])) end = after(text, end + 1, isDigit);
  const mantissa = text.slice(at, end);
  const power = powerAt(text, end);
  end = power.end;
  const unitEnd = text[end] === '%' ? end + 1 : after(text, end, isLetter);
  const unit = text.slice(end, unitEnd);
  const tens = UNITS[unit];
  if (tens === undefined) {
    const what = `${JSON.stringify(unit)} is no unit of a number`;
    throw conditionError(text, end, what, 'A number stands alone, or with %, ms or s: 3%, 250ms, 2s.');
  }
  // One reading of all digits, so that 4.1% is the number nearest to 0.041.
  const value = Number(`${mantissa}e${power.value + tens}`);
  if (Number.isFinite(value)) return { kind: 'number', text: text.slice(at, unitEnd), value, at };
  throw conditionError(text, at, 'the number is too large', 'Numbers go up to about 1e308.');
};

/** `e-3`, where one stands there. */
const powerAt = (text: string, at: number): { readonly value: number; readonly end: number } => {
  const digits = text[at + 1] === '-' || text[at + 1] === '+' ? at + 2 : at + 1;
  if ((text[at] !== 'e' && text[at] !== 'E') || !isDigit(text[digits])) return { value: 0, end: at };
  const end = after(text, digits, isDigit);
  return { value: Number(text.slice(at + 1, end)), end };
};

const after = (text: string, from: number, is: (one: string | undefined) => boolean): number => {
  let at = from;
  while (is(text[at])) at += 1;
  return at;
};
