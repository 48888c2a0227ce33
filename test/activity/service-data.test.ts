import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCorpus, parseJudgements, parseQueries, readJudgedQueries } from '../../adapters/service/data.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const named = (text: string) => ({ name: 'file', text });

test('a corpus keeps id, title and text, and leaves what else a line says', () => {
  const text = '{"_id":"1","title":"t","text":"x","author":"a"}\r\n\n{"_id":"2","text":"y"}\n';
  expect(parseCorpus(named(text))).toEqual([
    { id: '1', title: 't', text: 'x' },
    { id: '2', title: '', text: 'y' },
  ]);
});

test.each([
  ['no JSON', '{"_id":"1","text":"x"}\n{oops\n', /^file:2 {2}expected one JSON object, found "\{oops"/],
  ['no id', '{"text":"x"}\n', /^file:1 {2}_id: /],
  ['a text that is a number', '\n\n{"_id":"1","text":7}\n', /^file:3 {2}text: /],
  ['an id twice', '{"_id":"1","text":"x"}\n{"_id":"1","text":"y"}\n', /"1" stands there twice/],
])('a corpus with %s names file and line', (_, text, message) => {
  expect(() => parseCorpus(named(text))).toThrow(
    expect.objectContaining({ type: 'ConfigInvalid', message: expect.stringMatching(message) }),
  );
});

test('judgements are read with or without a header', () => {
  const rows = 'q1\td1\t3\nq1\td2\t0\nq2\td1\t1\n';
  const expected = new Map([
    ['q1', { d1: 3, d2: 0 }],
    ['q2', { d1: 1 }],
  ]);
  expect(parseJudgements(named(rows))).toEqual(expected);
  expect(parseJudgements(named(`query-id\tcorpus-id\tscore\n${rows}`))).toEqual(expected);
});

test.each(['q1\td1', 'q1\td1\tgood', 'q1 d1 3', 'q1\td1\t3\tx', '\td1\t3', 'q1\td1\tNaN'])(
  'the judgement %j names its line',
  (row) => {
    expect(() => parseJudgements(named(`query-id\tcorpus-id\tscore\n${row}\n`))).toThrow(
      /^file:2 {2}expected query-id/,
    );
  },
);

const service = (files: Record<string, string>): ServiceConfig => {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const judgements = { train: 'train.tsv', test: 'test.tsv' };
  return { folder, data: { corpus: 'corpus.jsonl', queries: 'queries.jsonl', judgements } } as unknown as ServiceConfig;
};

test('a query without a relevant document is no judged query', async () => {
  const config = service({
    'queries.jsonl': '{"_id":"a","text":"x"}\n{"_id":"b","text":"y"}\n',
    'train.tsv': 'a\td\t0\nb\td\t2\n',
  });
  expect(await readJudgedQueries(config, 'train')).toEqual([{ id: 'b', text: 'y', judgements: { d: 2 } }]);
});

test('without judgements of its own, live traffic is held against the held-out queries', async () => {
  const config = service({ 'queries.jsonl': '{"_id":"a","text":"x"}\n', 'test.tsv': 'a\td\t1\n' });
  expect(await readJudgedQueries(config, 'live')).toHaveLength(1);
});

test('a judged query that nobody wrote down, and a file that is not there, are named', async () => {
  const config = service({ 'queries.jsonl': '{"_id":"a","text":"x"}\n', 'train.tsv': 'z\td\t1\n' });
  await expect(readJudgedQueries(config, 'train')).rejects.toMatchObject({
    type: 'ConfigInvalid',
    message: expect.stringMatching(/"z" is judged/),
  });
  await expect(readJudgedQueries(config, 'test')).rejects.toMatchObject({
    type: 'ConfigInvalid',
    message: expect.stringMatching(/^test\.tsv cannot be read/),
  });
});

test('queries keep their order', () => {
  const text = '{"_id":"z","text":"1"}\n{"_id":"a","text":"2"}\n';
  expect([...parseQueries(named(text)).keys()]).toEqual(['z', 'a']);
});
