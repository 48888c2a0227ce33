/**
 * Judgements that come from elsewhere, put into the files that pawl.yaml names.
 *
 * 1. The files stay the one truth: a team keeps them in Git, and reviews what comes in as it reviews everything else.
 * 2. Every line that was there stays as it was, to the byte, unless it is to be replaced. A judgement that is there already is
 *    not written again; one that contradicts is refused, and then nothing is written.
 * 3. A query stands on one side only: what is held out is never learned from.
 */
import { createHash } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';
import { normalised } from '../../domain/tokens.ts';
import { parseJudgements, parseQueries, type Split } from '../service/data.ts';
import type { SourceText } from '../service/jsonl.ts';
import type { JudgedLine } from './formats.ts';

export interface JudgementTexts {
  readonly queries: SourceText;
  readonly judgements: SourceText;
  /** The other splits, which must not hold the same queries. */
  readonly others: ReadonlyArray<{ readonly split: Split; readonly source: SourceText }>;
}

export interface Merged {
  /** What is to stand in the files. */
  readonly queries: string;
  readonly judgements: string;
  readonly added: number;
  readonly repeated: number;
  readonly replaced: number;
  readonly newQueries: number;
  readonly documents: readonly string[];
}

export const mergeJudgements = (
  texts: JudgementTexts,
  lines: readonly JudgedLine[],
  { replace }: { readonly replace: boolean },
): Merged => {
  const named = namer(texts.queries);
  const known = parseJudgements(texts.judgements);
  const changes = new Map<string, { readonly query: string; readonly document: string; readonly grade: number }>();
  const contradictions: string[] = [];
  let repeated = 0;
  for (const line of lines) {
    const { document, grade } = line;
    const query = named.idOf(line);
    const key = `${query}\t${document}`;
    const before = changes.get(key)?.grade ?? known.get(query)?.[document];
    if (before === grade) repeated += 1;
    else {
      if (before !== undefined) contradictions.push(`${query} ${document}: ${before}, now ${grade}`);
      changes.set(key, { query, document, grade });
    }
  }
  refuseHeldOut(texts, new Set([...changes.values()].map(({ query }) => query)));
  if (contradictions.length > 0 && !replace) {
    throw new PawlError(
      'Refused',
      `${contradictions.length} judgements contradict those that are there, such as ${contradictions.slice(0, 3).join('; ')}.`,
      { hint: 'Nothing was written. Take them out, or let the new ones count with --replace.' },
    );
  }
  const isThere = ([, { query, document }]: [string, { query: string; document: string }]): boolean =>
    known.get(query)?.[document] !== undefined;
  const replaced = new Map([...changes].filter(isThere).map(([key, { grade }]) => [key, grade]));
  const added = [...changes].filter((change) => !isThere(change)).map(([key, { grade }]) => `${key}\t${grade}`);
  return {
    queries: appended(texts.queries.text, named.made()),
    judgements: appended(withReplaced(texts.judgements.text, replaced), added),
    added: added.length,
    replaced: replaced.size,
    repeated,
    newQueries: named.made().length,
    documents: [...new Set(lines.map(({ document }) => document))],
  };
};

/** Ids for queries: that which it says, that of the same words, or a new one that the same words always get. */
const namer = (queries: SourceText) => {
  const known = parseQueries(queries);
  const byWords = new Map([...known].map(([id, text]) => [normalised(text), id]));
  const made: string[] = [];
  const idOf = ({ id, query }: JudgedLine): string => {
    if (id !== null && known.has(id)) return id;
    if (query === null) {
      throw new PawlError('ConfigInvalid', `Query "${id}" is judged, but ${queries.name} lacks it.`, {
        hint: 'Add its line there, or bring the text of the query with its judgements (csv, jsonl).',
      });
    }
    const words = normalised(query);
    const there = byWords.get(words);
    if (there !== undefined) return there;
    const fresh = id ?? `q-${createHash('sha256').update(words).digest('hex').slice(0, 12)}`;
    known.set(fresh, query);
    byWords.set(words, fresh);
    made.push(JSON.stringify({ _id: fresh, text: query }));
    return fresh;
  };
  return { idOf, made: () => made };
};

const refuseHeldOut = ({ others }: JudgementTexts, queries: ReadonlySet<string>): void => {
  for (const { split, source } of others) {
    const both = [...parseJudgements(source).keys()].filter((query) => queries.has(query));
    if (both.length === 0) continue;
    throw new PawlError(
      'Refused',
      `${both.length} of these queries are judged in ${split} (${source.name}): ${both.slice(0, 3).join(', ')}.`,
      {
        hint: `Nothing was written. A query is learned from or measured on, never both: import them with --into ${split}, or take them out.`,
      },
    );
  }
};

/** The lines that are there keep their bytes. */
const appended = (text: string, lines: readonly string[]): string => {
  if (lines.length === 0) return text;
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${ended}${lines.map((line) => `${line}\n`).join('')}`;
};

const withReplaced = (text: string, replaced: ReadonlyMap<string, number>): string =>
  replaced.size === 0
    ? text
    : text
        .split('\n')
        .map((line) => {
          const [query, document] = line.split('\t');
          const grade = replaced.get(`${query}\t${document}`);
          return grade === undefined ? line : `${query}\t${document}\t${grade}${line.endsWith('\r') ? '\r' : ''}`;
        })
        .join('\n');
