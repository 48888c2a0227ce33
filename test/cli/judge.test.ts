import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { seeded } from '../../domain/random.ts';
import { servedAnswer } from '../contract/feedback-store.ts';
import { browsed, shuffled } from '../support/clicks.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

let home: string;
let pawl: (...args: readonly string[]) => Promise<Ran>;
const textOf = (name: string): string => readFileSync(join(home, name), 'utf8');
const write = (name: string, text: string): void => writeFileSync(join(home, name), text);

beforeAll(async () => {
  home = await folderWithData();
  pawl = (...args) => pawlIn(home, args);
  expect((await pawl(...INIT)).code).toBe(0);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('what is imported is what the pipeline reads, and can be exported again', async () => {
  const before = textOf('test.tsv');
  write('more.csv', 'query,document,grade\r\n"Who makes a GARDEN?",harbor,2\r\nwho sails,harbor,3\r\n');
  const dry = await pawl('judge', 'import', 'more.csv', '--dry-run', '--json');
  expect(dry.json).toMatchObject({ added: 2, newQueries: 1, dryRun: true });
  expect(textOf('test.tsv')).toBe(before);

  expect((await pawl('judge', 'import', 'more.csv', '--json')).json).toMatchObject({ added: 2, unknownDocuments: 0 });
  expect(textOf('test.tsv')).toMatch(/^query-id[\s\S]*\nq-garden\tharbor\t2\nq-[0-9a-f]{12}\tharbor\t3\n$/);
  expect((await pawl('judge', 'import', 'more.csv', '--json')).json).toMatchObject({ added: 0, repeated: 2 });

  expect((await pawl('judge', 'export', 'out.qrels', '--json')).json).toMatchObject({ judgements: 4, queries: 3 });
  expect(textOf('out.qrels')).toContain('q-garden 0 harbor 2\n');
  expect(errorOf(await pawl('judge', 'export', 'out.qrels', '--json'))).toMatchObject({ type: 'Refused' });
});

test('a query that is learned from is not measured on', async () => {
  write('leak.qrels', 'q-anchor 0 bridge 1\n');
  const refused = errorOf(await pawl('judge', 'import', 'leak.qrels', '--into', 'test', '--json'));
  expect(refused).toMatchObject({ type: 'Refused', message: expect.stringContaining('q-anchor') });
});

test('coverage names the frequent queries that nobody judged, and how much of what is served is judged', async () => {
  const log = sqliteQueryLog(homePaths(home).metrics);
  const at = Date.now();
  const asked = (query: string, ranked: string[]) => servedAnswer(`${query} ${ranked}`, { at, query, ranked });
  await log.append([asked('who makes a harbor', ['harbor', 'x']), asked('tell me', ['a']), asked('Tell me!', ['b'])]);
  log.close();
  const { json, stdout } = await pawl('judge', 'coverage', '--json');
  expect(json, stdout).toMatchObject({
    split: 'test',
    served: { requests: 3, judged: 1, topTen: 0.5 },
    unjudged: [{ query: expect.stringMatching(/tell me/i), times: 2 }],
  });
});

test('grades come from clicks, and what users judged comes out for import; too few clicks say how many are needed', async () => {
  const { metrics } = homePaths(home);
  expect(errorOf(await pawl('judge', 'export', 'none.jsonl', '--from', 'clicks', '--json'))).toMatchObject({
    type: 'NoData',
    message: expect.stringContaining('100 are needed'),
  });
  const [log, feedback] = [sqliteQueryLog(metrics), sqliteFeedback(metrics)];
  const random = seeded(9);
  const users = { examination: [1, 0.7, 0.5], attraction: (_: string, id: string) => (id === 'candle' ? 0.8 : 0.03) };
  const at = Date.now();
  for (let n = 0; n < 400; n += 1) {
    const ranked = shuffled(['candle', 'dragon', 'engine'], random);
    const { shown, clicks } = browsed(users, { query: 'light', ranked }, random);
    await log.append([servedAnswer(`a${n}`, { at, query: 'light', ranked })]);
    const told = { at, tenant: 'default', by: null, mayJudge: true };
    const clicked = clicks.map(
      ({ document, position }) => ({ kind: 'click', answer: `a${n}`, document, position }) as const,
    );
    await feedback.add({ ...told, events: [{ kind: 'impression', answer: `a${n}`, shown: shown ?? [] }, ...clicked] });
    const judgement = { kind: 'judgement', service: 'docs', query: 'light', document: 'candle' } as const;
    if (n < 3) await feedback.add({ ...told, by: `key-${n}`, events: [{ ...judgement, grade: n + 1 }] });
  }
  feedback.close();
  log.close();
  expect((await pawl('judge', 'export', 'clicks.jsonl', '--from', 'clicks', '--json')).code).toBe(0);
  const lines = textOf('clicks.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual({ query: 'light', document: 'candle', grade: 3, confidence: expect.any(Number) });
  expect(lines.filter(({ document }) => document !== 'candle').every(({ grade }) => grade === 0)).toBe(true);
  await pawl('judge', 'export', 'given.jsonl', '--from', 'given');
  expect(JSON.parse(textOf('given.jsonl'))).toEqual({ query: 'light', document: 'candle', grade: 2 });
  expect((await pawl('judge', 'import', 'given.jsonl', '--into', 'train', '--json')).json).toMatchObject({ added: 1 });
});
