/**
 * What is printed for people, as values. A piece is data: its control characters go when it is printed, so that no name,
 * reason or error text can drive the terminal. Styles are added after that.
 */
import { stripVTControlCharacters, styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';
export interface Styled {
  readonly style: Style;
  readonly text: string;
}
export type Piece = string | number | null | Styled;
/** One line; its pieces are apart by nothing. */
export type Line = string | readonly Piece[];

const styled =
  (style: Style) =>
  (text: string | number | null): Styled => ({ style, text: String(text ?? NOTHING) });
export const bold = styled('bold');
export const dim = styled('dim');
export const good = styled('green');
export const warn = styled('yellow');
export const bad = styled('red');

export const NOTHING = '–';
/** Controls, and the marks that turn the direction of text: neither is ever part of what a person has to read. */
const HIDDEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]+/gu;

export const clean = (text: string | number): string => stripVTControlCharacters(String(text)).replaceAll(HIDDEN, ' ');

const textOf = (piece: Piece): string =>
  clean(typeof piece === 'object' && piece !== null ? piece.text : (piece ?? NOTHING));

export const render = (line: Line, colour: boolean): string =>
  (typeof line === 'string' ? [line] : line)
    .map((piece) => {
      const text = textOf(piece);
      return colour && typeof piece === 'object' && piece !== null
        ? styleText(piece.style, text, { validateStream: false })
        : text;
    })
    .join('')
    .trimEnd();

/** Columns as wide as their widest cell, two spaces apart. */
export const table = (rows: ReadonlyArray<readonly Piece[]>): Line[] => {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, piece] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, textOf(piece).length);
  }
  return rows.map((row) =>
    row.flatMap((piece, at) =>
      at === row.length - 1 ? [piece] : [piece, ' '.repeat((widths[at] ?? 0) - textOf(piece).length + 2)],
    ),
  );
};

/** The header of a table. */
export const head = (...names: readonly string[]): Piece[] => names.map((name) => dim(name));

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 d 4 h`. */
export const span = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [unit, size] = UNITS[at] ?? ['s', 1_000];
  const [smaller, part] = UNITS[at + 1] ?? [null, 1];
  const rest = smaller === null ? 0 : Math.floor((ms % size) / part);
  return rest > 0 ? `${Math.floor(ms / size)} ${unit} ${rest} ${smaller}` : `${Math.floor(ms / size)} ${unit}`;
};

/** `3 min 5 s ago`, or `in 2 h`. */
export const relative = (moment: string | Date, now: number): string => {
  const ms = now - new Date(moment).getTime();
  return ms >= 0 ? `${span(ms)} ago` : `in ${span(-ms)}`;
};

export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** A digest as people say it. */
export const short = (digest: string | null): string => digest?.slice(0, 12) ?? NOTHING;

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
/** `512 B`, `4.2 MiB`. */
export const bytesOf = (bytes: number): string => {
  const at = Math.min(SIZES.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${at === 0 ? bytes : (bytes / 1_024 ** at).toFixed(1)} ${SIZES[at]}`;
};
