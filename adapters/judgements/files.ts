/**
 * The files of judgements that pawl.yaml names, read and written.
 *
 * A file under its name is whole and on the disk: written beside it, synced, renamed. Queries are written first, so that no
 * judgement is ever of a query that is not there. Imports take turns, and a file that somebody else changed meanwhile is
 * left alone.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { withLock } from '../../infra/setup/lock.mjs';
import { syncFolder } from '../folder-sync.ts';
import { parseJudgements, parseQueries, readCorpus, type Split } from '../service/data.ts';
import type { SourceText } from '../service/jsonl.ts';
import type { JudgedLine } from './formats.ts';
import { type Merged, mergeJudgements } from './merge.ts';

export interface ImportReport extends Omit<Merged, 'queries' | 'judgements' | 'documents'> {
  readonly file: string;
  /** Judged documents that the corpus does not hold (any more). */
  readonly unknownDocuments: number;
}

export const importJudgements = (
  config: ServiceConfig,
  lines: readonly JudgedLine[],
  { into, replace, dryRun }: { readonly into: Split; readonly replace: boolean; readonly dryRun: boolean },
): Promise<ImportReport> => {
  const [queriesPath, path] = [pathOf(config, config.data.queries), splitPath(config, into)];
  return withLock(`${path}.lock`, async () => {
    const [queries, judgements] = await Promise.all([textAt(queriesPath), textAt(path)]);
    const others = await Promise.all(
      othersOf(config, into).map(async (split) => ({ split, source: await textAt(splitPath(config, split)) })),
    );
    const merged = mergeJudgements({ queries, judgements, others }, lines, { replace });
    if (!dryRun) {
      await write(queriesPath, queries.text, merged.queries);
      await write(path, judgements.text, merged.judgements);
    }
    const corpus = new Set((await readCorpus(config)).documents.map(({ id }) => id));
    const { added, repeated, replaced, newQueries, documents } = merged;
    const unknownDocuments = documents.filter((id) => !corpus.has(id)).length;
    return { file: path, added, repeated, replaced, newQueries, unknownDocuments };
  });
};

/** Everything that a split holds, queries without a relevant document too. */
export const readSplit = async (config: ServiceConfig, split: Split): Promise<JudgedLine[]> => {
  const texts = parseQueries(await textAt(pathOf(config, config.data.queries)));
  const judged = parseJudgements(await textAt(splitPath(config, split)));
  return [...judged].flatMap(([id, of]) =>
    Object.entries(of).map(([document, grade]) => ({ id, query: texts.get(id) ?? null, document, grade })),
  );
};

const pathOf = ({ folder }: ServiceConfig, path: string): string => resolve(folder, path);

const splitPath = (config: ServiceConfig, split: Split): string => {
  const path = config.data.judgements[split];
  if (path !== undefined) return pathOf(config, path);
  throw new PawlError('ConfigInvalid', `${config.service} has no judgements of its live traffic.`, {
    hint: `Name a file under data.judgements.${split} in ${resolve(config.folder, 'pawl.yaml')}, and make it: it may be empty.`,
  });
};

/** What is measured on may be measured twice; what is learned from stands apart from both. */
const othersOf = ({ data: { judgements } }: ServiceConfig, into: Split): readonly Split[] => {
  if (into !== 'train') return ['train'];
  return judgements.live === undefined ? ['test'] : ['test', 'live'];
};

const textAt = async (path: string): Promise<SourceText> => {
  try {
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} cannot be read: ${(cause as Error).message}`, {
      hint: 'pawl.yaml names it under data. Make it, if it is to begin empty.',
      cause,
    });
  }
};

const write = async (path: string, before: string, after: string): Promise<void> => {
  if (after === before) return;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', (await stat(path)).mode & 0o777);
    try {
      await file.writeFile(after);
      await file.sync();
    } finally {
      await file.close();
    }
    if ((await textAt(path)).text !== before) {
      throw new PawlError('Refused', `${path} was changed by somebody else meanwhile.`, {
        hint: 'Their change stands. Import again.',
      });
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(temporary, { force: true });
  }
};
