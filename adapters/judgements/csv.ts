/** Rows of a CSV (RFC 4180), with the line that each begins at. */
import { PawlError } from '../../contracts/failures.ts';
import type { SourceText } from '../service/jsonl.ts';

export interface CsvRow {
  readonly cells: readonly string[];
  readonly number: number;
}

/** One cell and what ends it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

export const parseCsv = ({ name, text }: SourceText): CsvRow[] => {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let [number, line] = [1, 1];
  CELL.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (CELL.lastIndex < text.length || cells.length > 0) {
    const found = CELL.exec(text);
    if (!found) {
      const hint = 'Double every quote inside a cell, and put cells with commas or line breaks in quotes.';
      throw new PawlError('ConfigInvalid', `${name}:${line}  this is no CSV: a quote stands where none belongs`, {
        hint,
      });
    }
    const [whole, quoted, plain = '', end] = found;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split('\n').length - 1;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') rows.push({ cells, number });
    cells = [];
    number = line;
  }
  return rows;
};
