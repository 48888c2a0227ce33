/**
 * The corpus of the story, built from what every machine that installed the project has: doc comments of the platform
 * libraries.
 *
 * 1. A query is the first sentence of a symbol's comment; its one relevant document is the rest, without that sentence.
 * 2. Before: the libraries of the language and the browser. After: Node's own joins, and four in five users ask in the
 *    words of its authors. A document keeps its id from one period to the next.
 * 3. A query's split is decided by its words alone, so what is held out in one period is held out in the other.
 */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CorpusDocument } from '../../adapters/lexical/document.ts';
import type { Split } from '../../adapters/service/data.ts';
import { PawlError } from '../../contracts/failures.ts';
import { withoutNearDuplicates } from '../../domain/near-duplicates.ts';
import { hash32 } from '../../domain/random.ts';
import { normalised } from '../../domain/tokens.ts';
import { type Passage, passagesOf } from './passages.ts';

export type Period = 'before' | 'after';
export interface StoryQuery {
  readonly id: string;
  readonly text: string;
  readonly split: Split;
}
export interface Story {
  readonly documents: readonly CorpusDocument[];
  readonly queries: readonly StoryQuery[];
}

/** The compiler's package carries its libraries in a part that is named for the platform. */
const BEFORE = { scope: '@typescript', name: /^typescript-/ };
const AFTER = { scope: '@types', name: /^node$/ };

const SIZES: Readonly<Record<Split, number>> = { train: 700, test: 400, live: 400 };
const NEWCOMERS_SHARE = 0.8;
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

type Known = Passage & { readonly id: string; readonly period: Period };

/** The same on every machine with the same lockfile. */
export function tellStory(period: Period, modules = MODULES): Story {
  const passages = passagesOfBoth(modules);
  const there = passages.filter((passage) => period === 'after' || passage.period === 'before');
  const newcomers = period === 'after' ? NEWCOMERS_SHARE : 0;
  const queries = (Object.keys(SIZES) as Split[]).flatMap((split) => [
    ...ask(there, 'after', split, Math.round(newcomers * SIZES[split])),
    ...ask(there, 'before', split, Math.round((1 - newcomers) * SIZES[split])),
  ]);
  return { documents: there.map(({ id, title, text }) => ({ id, title, text })), queries };
}

/** Writes the story's files, as a pawl.yaml names them, into a folder. Each file appears whole or not at all. */
export function buildStory(folder: string, period: Period, modules = MODULES): Story {
  const story = tellStory(period, modules);
  mkdirSync(folder, { recursive: true });
  // Queries and judgements go first: a reader in between finds judgements of documents that are still to come.
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  write(folder, 'queries.jsonl', lines(story.queries.map(({ id, text }) => ({ _id: id, text }))));
  for (const split of Object.keys(SIZES) as Split[]) {
    const judged = story.queries
      .filter((query) => query.split === split)
      .map(({ id }) => `${id}\t${documentOf(id)}\t1\n`);
    write(folder, `qrels-${split}.tsv`, `query-id\tcorpus-id\tscore\n${judged.join('')}`);
  }
  write(folder, 'corpus.jsonl', lines(story.documents.map(({ id, title, text }) => ({ _id: id, title, text }))));
  return story;
}

function passagesOfBoth(modules: string): Known[] {
  const numbered = (period: Period, passages: readonly Passage[]): Known[] =>
    passages.map((passage, at) => ({ ...passage, period, id: `${period === 'before' ? 'web' : 'node'}-${at + 1}` }));
  const asked = new Set<string>();
  const all = [
    ...numbered('before', passagesOf(modules, packageOf(modules, BEFORE))),
    ...numbered('after', passagesOf(modules, packageOf(modules, AFTER))),
  ].filter(({ question }) => {
    const repeated = asked.has(normalised(question));
    asked.add(normalised(question));
    return !repeated;
  });
  return withoutNearDuplicates(all, ({ title, question, text }) => `${title} ${question} ${text}`);
}

function packageOf(modules: string, { scope, name }: typeof BEFORE): string {
  const folder = join(modules, scope);
  const found = readdirSync(folder).find((entry) => name.test(entry));
  if (found === undefined) {
    throw new PawlError('SetupFailed', `The story needs a package ${scope}/${name.source} in ${modules}.`, {
      hint: 'Install with the development dependencies: npm ci',
    });
  }
  return `${scope}/${found}`;
}

function ask(passages: readonly Known[], period: Period, split: Split, size: number): StoryQuery[] {
  return passages
    .filter((passage) => passage.period === period && splitOf(passage) === split)
    .sort((a, b) => hash32(a.question) - hash32(b.question))
    .slice(0, size)
    .map(({ id, question }) => ({ id: `q-${id}`, text: question, split }));
}

const documentOf = (query: string): string => query.slice('q-'.length);

function splitOf({ question }: Passage): Split {
  const at = hash32(`split:${question}`) % 100;
  return at < 40 ? 'train' : at < 70 ? 'test' : 'live';
}

function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}
