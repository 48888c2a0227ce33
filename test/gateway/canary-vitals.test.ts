/** What a canary sees of a real gateway's traffic, by way of its query log. */
import { expect, test, vi } from 'vitest';
import { createCanaryActivities } from '../../activities/canary.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { routersOf } from '../../adapters/router/of-service.ts';
import { logVitals } from '../../adapters/vitals/log.ts';
import type { Analysis, Judging, Measure } from '../../contracts/canary.ts';
import { outcomeOf } from '../../domain/canary/analysis.ts';
import type { LoadedVariant } from '../../gateway/search-engine.ts';
import { judging, measure } from '../support/canary-home.ts';
import { CHALLENGER, CHAMPION, createTestGateway, playedEngine, split } from '../support/gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ASKERS = 240;
const PATIENT = { timeout: 30_000 };
const JUDGE: Judging = judging(
  { metric: 'latency', worse: 'higher' },
  { metric: 'errors', worse: 'higher' },
  { metric: 'ndcg', worse: 'lower' },
);
const WORSE: readonly Measure[] = [
  { name: 'latency', metric: 'latency-p50', failure: 'result.low > baseline.high + 30ms' },
  { name: 'errors', metric: 'errors', failure: 'result.low > baseline.high' },
  { name: 'ndcg', metric: 'ndcg', failure: 'result.high < 97% * baseline.low' },
].map((over) => measure({ ...over, windowMs: 600_000, samples: 20 }));

type Search = LoadedVariant['search'];
const found = (...ids: readonly string[]) => ({ hits: ids.map((id, n) => ({ id, score: -n, title: '' })), cpuMs: 1 });
/** As the champion does, so that the two differ in nothing but what is injected. */
const usual: Search = async () => found('a', 'b');
const slow: Search = async () => {
  await new Promise((resolve) => setTimeout(resolve, 60));
  return found('a', 'b');
};
const failing = (): Search => {
  let nth = 0;
  return async () => {
    nth += 1;
    if (nth % 3 === 0) throw new Error('no such table');
    return found('a', 'b');
  };
};
const wrong: Search = async () => found('x', 'y', 'a');

/** Half of the askers get each of the two; then both are measured and judged, as an analysis of one look. */
const canaryOf = async (challenger: Search) => {
  const engine = playedEngine();
  engine.plays.set(CHAMPION, usual);
  engine.plays.set(CHALLENGER, challenger);
  const queryLog = sqliteQueryLog(':memory:');
  const gateway = await createTestGateway({ engine, queryLog });
  const { control, get } = gateway;
  await split(
    control,
    [CHAMPION, CHALLENGER].map((variant) => ({ variant, share: 0.5 })),
  );
  await vi.waitFor(async () => {
    const { body } = await get('/status');
    expect(body.services[0].loaded).toEqual(expect.arrayContaining([CHAMPION, CHALLENGER]));
  }, PATIENT);
  const since = new Date().toISOString();
  // A few at a time: what is slow is to be the variant, and not the machine.
  for (let n = 0; n < ASKERS; n += 8) {
    const few = Array.from({ length: 8 }, (_, i) => `user-${n + i}`);
    await Promise.all(few.map((subject) => get('/v1/search?q=how%3F', { headers: { 'x-pawl-subject': subject } })));
  }
  const services = { config: async () => ({ folder: '', canary: null, router: null }) };
  const variables = {};
  const now = Date.now;
  const activities = createCanaryActivities({
    ...{ control, queryLog, services, variables, now, artifacts: folderArtifacts(temporaryFolder()) },
    vitals: logVitals({ queryLog, judged: async () => [{ id: '1', text: 'how?', judgements: { a: 1 } }] }),
    routers: routersOf({ control, services, variables, now }),
  });
  const window = { service: 'docs', challenger: CHALLENGER, baseline: CHAMPION, since };
  await vi.waitFor(async () => {
    const both = [window, { ...window, challenger: CHAMPION }].map((of) => activities.countCanary(of));
    const [mine = 0, others = 0] = (await Promise.all(both)).map(({ requests }) => requests);
    expect(mine + others).toBe(ASKERS);
    expect(Math.min(mine, others)).toBeGreaterThan(ASKERS / 4);
  }, PATIENT);
  const measurements = await activities.measureCanary({ ...window, measures: WORSE });
  const judgement = await activities.judgeCanary({ ...window, judging: JUDGE });
  const outcome = (analysis: Analysis) => outcomeOf(analysis, { measurements, judgements: [judgement] });
  return {
    measured: outcome({ measures: WORSE, judging: null }),
    judged: outcome({ measures: [], judging: JUDGE }),
    classes: Object.fromEntries(judgement.metrics.map((one) => [one.metric, one.class])),
    measurements,
  };
};

test.each([
  ['slow', () => slow, 'latency', 'high'],
  ['failing', failing, 'errors', 'high'],
  ['wrong', () => wrong, 'ndcg', 'low'],
] as const)(
  'a challenger that is %s in the gateway fails its measures and its judge, by that',
  async (_, play, metric, side) => {
    const { measured, judged, classes } = await canaryOf(play());
    expect(measured).toMatchObject({ outcome: 'failed', because: expect.stringContaining(`${metric} failed once`) });
    expect(judged).toMatchObject({ outcome: 'failed', because: expect.stringContaining(metric) });
    expect(classes[metric]).toBe(side);
  },
);

test('a challenger that answers as the champion does fails by neither errors nor ranking', async () => {
  const { classes, measurements } = await canaryOf(usual);
  expect(classes).toMatchObject({ errors: 'pass', ndcg: 'pass' });
  const [, errors, ndcg] = measurements;
  expect(errors?.result).toMatchObject({ value: 0 });
  expect(ndcg?.result).toEqual(expect.objectContaining({ value: 1, low: 1, high: 1 }));
});
