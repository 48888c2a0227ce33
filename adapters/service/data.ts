/** Corpus, queries and judgements of a service, in the formats of BEIR: JSON lines and TREC-like TSV. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { JudgedQuery, Judgements } from '../../domain/rank-metrics.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import type { CorpusDocument } from '../lexical/document.ts';
import { badLine, linesOf, parseJsonLines, type SourceText } from './jsonl.ts';

export type Split = 'train' | 'test' | 'live';

const documentLine = z
  .object({ _id: z.string().min(1), title: z.string().default(''), text: z.string() })
  .transform(({ _id, title, text }): CorpusDocument => ({ id: _id, title, text }));
const queryLine = z.object({ _id: z.string().min(1), text: z.string() });

/** Unknown keys are left alone: corpora carry more than a search needs. */
export function parseCorpus(source: SourceText): CorpusDocument[] {
  const documents = parseJsonLines(source, documentLine);
  refuseRepeats(
    source.name,
    documents.map(({ id }) => id),
  );
  return documents;
}

export function parseQueries(source: SourceText): Map<string, string> {
  const queries = parseJsonLines(source, queryLine);
  refuseRepeats(
    source.name,
    queries.map(({ _id }) => _id),
  );
  return new Map(queries.map(({ _id, text }) => [_id, text]));
}

/** `query-id`, `corpus-id`, `score`, apart by tabs; the header is optional. */
export function parseJudgements(source: SourceText): Map<string, Judgements> {
  const judged = new Map<string, Record<string, number>>();
  for (const { line, number } of linesOf(source)) {
    const [query, document, score, ...rest] = line.split('\t');
    if (number === 1 && query === 'query-id') continue;
    if (!query || !document || score === undefined || rest.length > 0 || !/^-?\d+(\.\d+)?$/.test(score.trim())) {
      const expected = 'expected query-id, corpus-id and a number, apart by tabs';
      throw badLine(source.name, number, `${expected}, found "${line.slice(0, 60)}"`);
    }
    judged.set(query, { ...judged.get(query), [document]: Number(score) });
  }
  return judged;
}

/** Queries of one split that have a relevant document at all, in the order of the judgements. */
export async function readJudgedQueries(config: ServiceConfig, split: Split): Promise<JudgedQuery[]> {
  const path = splitPath(config, split);
  const queries = parseQueries(await source(config, config.data.queries));
  const judgements = await source(config, path);
  return [...parseJudgements(judgements)]
    .filter(([, judged]) => Object.values(judged).some((score) => score > 0))
    .map(([id, judged]) => {
      const text = queries.get(id);
      if (text !== undefined) return { id, text, judgements: judged };
      throw new PawlError('ConfigInvalid', `${path}: query "${id}" is judged, but ${config.data.queries} lacks it.`);
    });
}

/** A service without judgements of its live traffic is measured on the held-out ones, never on those it learns from. */
const splitPath = ({ data: { judgements } }: ServiceConfig, split: Split): string =>
  split === 'live' ? (judgements.live ?? judgements.test) : judgements[split];

export async function readCorpus(
  config: ServiceConfig,
): Promise<{ sha256: string; bytes: string; documents: CorpusDocument[] }> {
  const { name, text } = await source(config, config.data.corpus);
  return {
    sha256: createHash('sha256').update(text).digest('hex'),
    bytes: text,
    documents: parseCorpus({ name, text }),
  };
}

/** The corpus as it is now, kept under its digest so that a later reader gets this very state. */
export async function snapshotCorpus(
  config: ServiceConfig,
  artifacts: ArtifactStore,
): Promise<{ ref: ArtifactRef; documents: CorpusDocument[] }> {
  const { bytes, documents } = await readCorpus(config);
  return { ref: await artifacts.put(bytes), documents };
}

async function source(config: ServiceConfig, path: string): Promise<SourceText> {
  try {
    return { name: path, text: await readFile(resolve(config.folder, path), 'utf8') };
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} cannot be read: ${(cause as Error).message}`, {
      hint: `Set its path under "data" in ${resolve(config.folder, 'pawl.yaml')}.`,
      cause,
    });
  }
}

function refuseRepeats(name: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new PawlError('ConfigInvalid', `${name}: _id "${id}" stands there twice.`);
    seen.add(id);
  }
}
