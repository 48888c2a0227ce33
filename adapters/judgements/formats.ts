/**
 * Judgements as other tools write them. A query is named by its id, by its text, or by both.
 *
 * trec: `query-id 0 document grade` (qrels). tsv: `query-id document grade`, as the service's own files have it.
 * csv: a head with query-id or query, document, grade. jsonl: the same names as keys.
 */
import { extname } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { csv } from '../evidence/csv.ts';
import { badLine, linesOf, parseJsonLines, type SourceText } from '../service/jsonl.ts';
import { parseCsv } from './csv.ts';

export const JUDGEMENT_FORMATS = ['trec', 'tsv', 'csv', 'jsonl'] as const;
export type JudgementFormat = (typeof JUDGEMENT_FORMATS)[number];

export interface JudgedLine {
  readonly id: string | null;
  readonly query: string | null;
  readonly document: string;
  readonly grade: number;
  /** How sure whoever judged was, where that is known. */
  readonly confidence?: number;
}

const ENDINGS: Readonly<Record<string, JudgementFormat>> = {
  ...{ '.qrels': 'trec', '.trec': 'trec', '.txt': 'trec', '.tsv': 'tsv', '.csv': 'csv' },
  ...{ '.jsonl': 'jsonl', '.ndjson': 'jsonl' },
};
export const formatOf = (file: string): JudgementFormat => {
  const format = ENDINGS[extname(file).toLowerCase()];
  if (format) return format;
  throw new PawlError('Usage', `${file}: its name does not say how its judgements are written.`, {
    hint: `Say it with --format: ${JUDGEMENT_FORMATS.join(', ')}.`,
  });
};

/** Ids stand in files whose columns are apart by tabs. */
const id = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'an id without control characters');
/** As the service's own files can hold it. */
const grade = z
  .union([z.number(), z.string()], 'expected a number')
  .transform(String)
  .refine(
    (text) => /^-?\d+(\.\d{1,6})?$/.test(text) && Math.abs(Number(text)) <= 10,
    'expected a number from -10 to 10',
  )
  .transform(Number);
const line = z
  .object({
    'query-id': id.optional(),
    query: z.string().trim().min(1).max(2_000).optional(),
    document: id,
    grade,
  })
  .refine((one) => one['query-id'] !== undefined || one.query !== undefined, {
    path: ['query-id'],
    error: 'expected a query-id or the text of a query',
  })
  .transform(
    ({ 'query-id': given, query, ...rest }): JudgedLine => ({ id: given ?? null, query: query ?? null, ...rest }),
  );

export const parseJudged = (format: JudgementFormat, source: SourceText): JudgedLine[] => {
  if (format === 'jsonl') return parseJsonLines(source, line);
  if (format === 'csv') return parseTable(source);
  const [columns, apart] = format === 'trec' ? [4, /\s+/] : [3, '\t'];
  return linesOf(source).flatMap(({ line: text, number }) => {
    const cells = (format === 'trec' ? text.trim() : text).split(apart);
    if (format === 'tsv' && number === 1 && cells[0] === 'query-id') return [];
    if (cells.length !== columns) {
      throw badLine(source.name, number, `expected ${columns} columns, found ${cells.length}`);
    }
    const [query, document, graded] = format === 'trec' ? [cells[0], cells[2], cells[3]] : cells;
    return [checked(source, number, { 'query-id': query, document, grade: graded })];
  });
};

const NAMES: Readonly<Record<string, string>> = { 'corpus-id': 'document', 'document-id': 'document', score: 'grade' };

/** What an export puts before a text that a spreadsheet would run. */
const GUARD = /^'(?=[=+\-@\t\r\n])/;

const parseTable = (source: SourceText): JudgedLine[] => {
  const [head, ...rows] = parseCsv(source);
  const names = (head?.cells ?? []).map((name) => NAMES[name.trim().toLowerCase()] ?? name.trim().toLowerCase());
  if (!names.includes('document') || !names.includes('grade')) {
    throw badLine(source.name, 1, 'expected a head such as "query,document,grade"');
  }
  return rows.map(({ cells, number }) => {
    const filled = names.map((name, at) => [name, cells[at]?.replace(GUARD, '')] as const).filter(([, cell]) => cell);
    return checked(source, number, Object.fromEntries(filled));
  });
};

const checked = ({ name }: SourceText, number: number, value: object): JudgedLine => {
  const result = line.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badLine(name, number, `${issue?.path.join('.') || 'the line'}: ${issue?.message}`);
};

export const judgedText = (format: JudgementFormat, lines: readonly JudgedLine[]): string => {
  if (format === 'jsonl') return lines.map((one) => `${JSON.stringify(asObject(one))}\n`).join('');
  if (format === 'csv') {
    const head = ['query-id', 'query', 'document', 'grade'];
    return csv([head, ...lines.map((one) => [one.id ?? '', one.query ?? '', one.document, one.grade])]);
  }
  const nameless = lines.find((one) => one.id === null);
  if (nameless) {
    throw new PawlError('Usage', `${format} names queries by id, and "${nameless.query}" has none yet.`, {
      hint: 'Export as csv or jsonl: importing that gives it an id.',
    });
  }
  if (format === 'trec') return lines.map((one) => `${one.id} 0 ${one.document} ${one.grade}\n`).join('');
  const rows = lines.map((one) => `${one.id}\t${one.document}\t${one.grade}\n`);
  return ['query-id\tcorpus-id\tscore\n', ...rows].join('');
};

const asObject = ({ id: given, query, document, grade: graded, confidence }: JudgedLine) => ({
  ...(given !== null && { 'query-id': given }),
  ...(query !== null && { query }),
  ...{ document, grade: graded },
  ...(confidence !== undefined && { confidence }),
});
