import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceConfig } from '../contracts/config.ts';

const VERBS = ['read', 'write', 'open', 'close', 'parse', 'print', 'count', 'merge', 'split', 'move'];
const NOUNS = [
  'file',
  'stream',
  'buffer',
  'socket',
  'header',
  'token',
  'window',
  'signal',
  'timer',
  'cache',
  'lock',
  'page',
];

/** 120 functions such as `readFile`, which people ask for as "reading files": found by their words only. */
export function writeSearchData(folder: string): ServiceConfig['data'] {
  const all = VERBS.flatMap((verb) => NOUNS.map((noun) => ({ id: `${verb}-${noun}`, verb, noun })));
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const qrels = (ids: readonly string[]): string =>
    `query-id\tcorpus-id\tscore\n${ids.map((id) => `q-${id}\t${id}\t1\n`).join('')}`;
  const split = (part: number): string[] => all.filter((_, at) => at % 3 === part).map(({ id }) => id);
  const documents = all.map(({ id, verb, noun }) => {
    return {
      _id: id,
      title: `${verb}${capital(noun)}`,
      text: `${verb}${capital(noun)}(target): void. See the manual.`,
    };
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'corpus.jsonl'), lines(documents));
  const queries = all.map(({ id, verb, noun }) => ({ _id: `q-${id}`, text: `how to ${verb} the ${noun}s here` }));
  writeFileSync(join(folder, 'queries.jsonl'), lines(queries));
  writeFileSync(join(folder, 'train.tsv'), qrels(split(0)));
  writeFileSync(join(folder, 'test.tsv'), qrels(split(1)));
  writeFileSync(join(folder, 'live.tsv'), qrels(split(2)));
  return {
    corpus: 'corpus.jsonl',
    queries: 'queries.jsonl',
    judgements: { train: 'train.tsv', test: 'test.tsv', live: 'live.tsv' },
  };
}
