import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsIn, strike } from '../../drills/scenarios/faults.ts';
import { faultyEngine } from '../../drills/scenarios/faulty-engine.ts';
import { reportOf, type Seen } from '../../drills/scenarios/report.ts';
import { SCENARIOS, type Scenario } from '../../drills/scenarios/scenes.ts';
import type { Visit } from '../../drills/scenarios/visitors.ts';
import type { SearchEngine } from '../../gateway/search-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SECOND = 1_000;
const FAULT = 100 * SECOND;
const scenarioOf = (name: string): Scenario => SCENARIOS.find((one) => one.name === name) as Scenario;

/** Ten visits a second; a fourth of them is the challenger's until that moment. */
const visits = (until: number, over: Partial<Visit> = {}): Visit[] =>
  Array.from({ length: 1_500 }, (_, n) => {
    const askedAt = n * 100;
    const variant = n % 4 === 0 && askedAt <= until ? 'challenger' : 'champion';
    return { askedAt, answeredAt: askedAt + 5, status: 200, variant, ...(askedAt === FAULT ? over : {}) };
  });
const seen = (over: Partial<Seen> = {}): Seen => ({
  ...{ scenario: scenarioOf('bad-canary-slow'), home: '/nowhere', faultAt: FAULT, freeAt: null },
  ...{ verdictAt: 110 * SECOND, champion: 'champion', challenger: 'challenger', outcome: 'rolled back' },
  ...{ because: 'latency', serves: 'champion', visits: visits(110_400), violations: [] },
  ...over,
});

test('the times are those that a visitor saw: until the last answer of the challenger', () => {
  expect(reportOf(seen())).toMatchObject({
    ...{ verdict: 'passed', because: [], noticedMs: 10_000, championMs: 10_400, verdictToChampionMs: 400 },
    visits: { all: 1_500, sinceFault: 500, failed: 0, byChallenger: 27 },
  });
});

test('what failed is counted from the fault on, with those whom nobody answered', () => {
  const failed = visits(110_400, { status: 0, variant: null, answeredAt: FAULT + 5_000 });
  expect(reportOf(seen({ visits: failed }))).toMatchObject({ visits: { failed: 1 }, slowestMs: 5_000 });
});

test.each([
  ['another end', { outcome: 'promoted' }, 'it ended as promoted, not as rolled back'],
  ['no end', { outcome: null }, 'it ended as nothing'],
  ['the challenger in place', { serves: 'challenger' }, 'the champion does not serve everybody'],
  ['traffic that is split', { serves: null }, 'the champion does not serve everybody'],
  ['a violation', { violations: [{ rule: 'r', service: 'docs', seq: 1, what: 'w' }] as never }, 'finds 1 violation'],
  ['a way back of 3 s', { visits: visits(113_000) }, 'from the verdict to the champion; 2000 are promised'],
  ['a fault of 31 s', { verdictAt: 131 * SECOND, visits: visits(131 * SECOND) }, 'from the fault to the champion'],
])('%s is a failure', (_, over, because) => {
  const report = reportOf(seen(over));
  expect(report.verdict).toBe('failed');
  expect(report.because.join('; ')).toContain(because);
});

test('a challenger that never answered after the fault has shown nothing', () => {
  expect(reportOf(seen({ visits: visits(FAULT - 1) })).because).toEqual(['traffic did not come back']);
});

test('what the trial itself has held up is not counted against it, and what came after that is', () => {
  const held = { scenario: scenarioOf('store-locked'), freeAt: 140 * SECOND, verdictAt: 110 * SECOND };
  expect(reportOf(seen({ ...held, visits: visits(141_000) })).verdict).toBe('passed');
  expect(reportOf(seen({ ...held, visits: visits(147_500) })).verdict).toBe('failed');
});

test('where nothing was to be noticed, no time is promised', () => {
  const scenario = scenarioOf('kill-in-mid-step');
  const through = { scenario, outcome: 'promoted', serves: 'challenger', verdictAt: null, visits: visits(150_000) };
  expect(reportOf(seen(through))).toMatchObject({ verdict: 'passed', championMs: null, noticedMs: null });
});

test('too few visits prove nothing', () => {
  expect(reportOf(seen({ visits: visits(110_400).slice(1_000, 1_150) })).verdict).toBe('void');
});

test('a variant is bad from when the file says so, and no other is', async () => {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'faults.json');
  const found = { hits: ['a', 'b', 'c', 'd'].map((id) => ({ id, score: 1, title: id })), cpuMs: 1 };
  const engine: SearchEngine = {
    load: async () => ({ search: async () => found, state: () => 's', release: async () => undefined }),
    index: () => ({ state: 'ready', because: null, corpus: null, documents: 4 }),
    renew: async () => undefined,
    close: async () => undefined,
  };
  const ask = async (variant: string) => {
    const loaded = await faultyEngine(faultsIn(file))(engine).load(variant);
    return loaded.search({ query: 'q', k: 10, tenant: 't', filter: {} });
  };
  expect(await ask('b2')).toEqual(found);
  strike(file, { b2: { does: 'mislead' }, c3: { does: 'fail', share: 1 }, d4: { does: 'leak', bytes: 8, most: 16 } });
  expect((await ask('b2')).hits.map(({ id }) => id)).toEqual(['d']);
  expect(await ask('a1')).toEqual(found);
  await expect(ask('c3')).rejects.toMatchObject({ type: 'Internal' });
  expect((await ask('d4')).hits).toEqual(found.hits);
  rmSync(file);
  expect(await ask('b2')).toEqual(found);
});
