import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { RunCycle } from '../../drills/real-kills/cycles.ts';
import { reportOf, type Seen } from '../../drills/real-kills/report.ts';
import type { Search } from '../../drills/real-kills/searchers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SECOND = 1_000;
const CALM_UNTIL = 100 * SECOND;
const END = 200 * SECOND;

const cycle = (from: number, to: number, over: Partial<RunCycle> = {}): RunCycle => ({
  ...{ service: 'docs', cycle: 'si_2026_11_21_001', nth: 2, from, to },
  end: { outcome: 'promoted', because: '', challenger: null, champion: null },
  stages: [{ stage: 'train', state: 'done', startedAt: moment(from), endedAt: moment(to - 1), summary: null }],
  ...over,
});
const moment = (at: number): string => new Date(at).toISOString();

/** One every second, all answered. */
const searches = (from: number, to: number): Search[] =>
  Array.from({ length: (to - from) / SECOND }, (_, n) => {
    const at = from + n * SECOND;
    return { query: `q ${at}`, service: 'docs', askedAt: at, answeredAt: at, answered: true };
  });

const seen = async (over: Partial<Seen> = {}, untold: (search: Search) => boolean = () => false): Promise<Seen> => {
  const home = temporaryFolder();
  const paths = homePaths(home);
  mkdirSync(paths.state, { recursive: true });
  sqliteControl(paths.control).close();
  const log = sqliteQueryLog(paths.metrics);
  const all: Seen = {
    ...{ home, seed: 1, calmFrom: 0, killsFrom: CALM_UNTIL, killsTo: END, refused: [], violations: [] },
    kills: [{ role: 'gateway', at: 150 * SECOND, recoveryMs: 2 * SECOND }],
    cycles: [cycle(0, 40 * SECOND), cycle(40 * SECOND, 80 * SECOND), cycle(140 * SECOND, 190 * SECOND)],
    searches: searches(0, END),
    ...over,
  };
  const rows = all.searches.filter((search) => !untold(search));
  const row = { variant: 'a', ranked: [], latencyMs: 1, error: null, cost: 0 };
  await log.append(rows.map(({ query, service, answeredAt }) => ({ ...row, query, service, at: answeredAt })));
  log.close();
  return all;
};

describe('a run of real kills', () => {
  test('passes when nothing was found, and says what a kill cost', async () => {
    const report = reportOf(await seen());
    expect(report).toMatchObject({ verdict: 'passed', because: [], calmCycle: 40, load: { midStage: 1 } });
    expect(report.cost.max).toBe(10);
    expect(report.recovery.p95).toBe(2);
  });

  test('fails when a cycle came to no end', async () => {
    const lost = cycle(140 * SECOND, 190 * SECOND, { end: null });
    const given = await seen({ cycles: [cycle(0, 40 * SECOND), cycle(40 * SECOND, 80 * SECOND), lost] });
    expect(reportOf(given)).toMatchObject({ verdict: 'failed', lost: 1, because: ['1 cycles came to no end'] });
  });

  test('fails when somebody was never of use again, also where it is void besides', async () => {
    const kills = [{ role: 'temporal', at: 150 * SECOND, recoveryMs: null }] as const;
    const report = reportOf(await seen({ kills, searches: searches(0, CALM_UNTIL) }));
    expect(report.verdict).toBe('failed');
    expect(report.because.join()).toContain('recovery p95');
  });

  test('fails when an answered search is missing in the log and no kill of the gateway explains it', async () => {
    const missing = await seen({}, ({ answeredAt }) => answeredAt === 120 * SECOND);
    expect(reportOf(missing)).toMatchObject({ verdict: 'failed', searches: { lost: 1, untold: 0 } });
  });

  test('passes when what is missing was answered in the second before a kill of the gateway', async () => {
    const missing = await seen({}, ({ answeredAt }) => answeredAt === 149 * SECOND);
    expect(reportOf(missing)).toMatchObject({ verdict: 'passed', searches: { lost: 0, untold: 1 } });
  });

  test('is void when hardly anybody searched while it killed', async () => {
    const report = reportOf(
      await seen({ searches: [...searches(0, CALM_UNTIL), ...searches(CALM_UNTIL, 130 * SECOND)] }),
    );
    expect(report).toMatchObject({ verdict: 'void', because: ['only 30 % of the calm searches a second'] });
  });

  test('is void when no cycle ended while it killed', async () => {
    const report = reportOf(await seen({ cycles: [cycle(0, 40 * SECOND), cycle(40 * SECOND, 300 * SECOND)] }));
    expect(report).toMatchObject({ verdict: 'void', because: ['only 0 % of the calm cycles a minute'] });
  });

  test('is void when its kills hit no cycle in mid-stage', async () => {
    const kills = [{ role: 'gateway', at: 195 * SECOND, recoveryMs: SECOND }] as const;
    expect(reportOf(await seen({ kills }))).toMatchObject({
      verdict: 'void',
      because: ['only 0 of 1 kills hit a cycle in mid-stage'],
    });
  });
});
