import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseCorpus } from '../../adapters/service/data.ts';
import { normalised } from '../../domain/tokens.ts';
import { buildStory, type Story, tellStory } from '../../infra/story/corpus.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let before: Story;
let after: Story;
beforeAll(() => {
  before = tellStory('before');
  after = tellStory('after');
});

test('documents that were there before are there after, under their id', () => {
  expect(before.documents.length).toBeGreaterThan(2_000);
  expect(after.documents.length).toBeGreaterThan(before.documents.length + 1_000);
  expect(after.documents.slice(0, before.documents.length)).toEqual(before.documents);
});

test('no document holds the sentence that it is asked for with', () => {
  const texts = new Map(after.documents.map(({ id, title, text }) => [id, normalised(`${title} ${text}`)]));
  const given = after.queries.filter(({ id, text }) => texts.get(id.slice(2))?.includes(normalised(text)));
  expect(given.length / after.queries.length).toBeLessThan(0.01);
});

test('no query is in two splits, in one period or across both', () => {
  const splits = new Map<string, Set<string>>();
  for (const { text, split } of [...before.queries, ...after.queries]) {
    splits.set(normalised(text), (splits.get(normalised(text)) ?? new Set()).add(split));
  }
  expect([...splits].filter(([, of]) => of.size > 1)).toEqual([]);
});

test('four in five users ask in the words of the newcomers', () => {
  const newcomers = after.queries.filter(({ id }) => id.startsWith('q-node-')).length;
  expect(newcomers / after.queries.length).toBeCloseTo(0.8, 2);
  expect(before.queries.some(({ id }) => id.startsWith('q-node-'))).toBe(false);
});

test('the files are what a service reads, and the same on every run', () => {
  const [one, two] = [temporaryFolder(), temporaryFolder()];
  buildStory(one, 'before');
  buildStory(two, 'before');
  for (const name of ['corpus.jsonl', 'queries.jsonl', 'qrels-train.tsv', 'qrels-test.tsv', 'qrels-live.tsv']) {
    expect(readFileSync(join(one, name), 'utf8')).toBe(readFileSync(join(two, name), 'utf8'));
  }
  const text = readFileSync(join(one, 'corpus.jsonl'), 'utf8');
  expect(parseCorpus({ name: 'corpus', text })).toHaveLength(before.documents.length);
});
