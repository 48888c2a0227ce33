import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type LogVitalsDeps, logVitals } from '../../adapters/vitals/log.ts';
import type { VitalsSource } from '../../adapters/vitals/port.ts';
import type { CanaryPlan, Hook } from '../../contracts/canary.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Reading } from '../../contracts/vitals.ts';
import { isSigned } from '../../docs/examples/route-traffic.mjs';
import { at, CYCLE, canaryHome, judging, measure, NOW, SERVICE } from '../support/canary-home.ts';

const many = <T>(n: number, row: (n: number) => T): T[] => Array.from({ length: n }, (_, i) => row(i));

test('a measure reads challenger and baseline over its window, and nothing from before the challenger got its share', async () => {
  const { serve, challenger, measureCanary, window } = await canaryHome();
  await serve([
    ...many(10, () => ({ latencyMs: 100 })),
    ...many(10, () => ({ variant: challenger, latencyMs: 200 })),
    ...many(10, () => ({ variant: challenger, latencyMs: 9_000, at: NOW - 61_000 })),
    ...many(10, () => ({ latencyMs: 9_000, at: NOW - 61_000 })),
    ...many(10, () => ({ latencyMs: 5_000, at: NOW - 40_000 })),
  ]);
  const measures = [measure(), measure({ name: 'all of it', windowMs: 600_000 })];
  const [short, long] = await measureCanary({ ...window, measures });
  expect(short).toMatchObject({ name: 'latency', at: at(NOW), error: null });
  expect(short?.result).toEqual({ value: 200, low: 200, high: 200, n: 10 });
  expect(short?.baseline).toMatchObject({ value: 100, n: 10 });
  expect(long?.result).toMatchObject({ value: 200, n: 10 });
  expect(long?.baseline).toMatchObject({ value: 5_000, n: 20 });
});

test('what was measured carries the moment of whoever asked, where that was said', async () => {
  const { measureCanary, judgeCanary, window } = await canaryHome();
  const asked = { ...window, at: at(NOW - 5_000) };
  expect(await measureCanary({ ...asked, measures: [measure()] })).toMatchObject([{ at: asked.at }]);
  expect(await judgeCanary({ ...asked, judging: judging({ metric: 'latency', worse: 'higher' }) })).toMatchObject({
    at: asked.at,
  });
});

test('where there is no data there is nothing, which is neither 0 nor an error', async () => {
  const { measureCanary, window, serve } = await canaryHome();
  await serve([{}]);
  expect(
    await measureCanary({ ...window, measures: [measure(), measure({ name: 'no such', metric: 'no such' })] }),
  ).toEqual([
    { name: 'latency', at: at(NOW), result: null, baseline: { value: 10, low: 10, high: 10, n: 1 }, error: null },
    { name: 'no such', at: at(NOW), result: null, baseline: null, error: null },
  ]);
});

test('a baseline that serves no more is read from as long a window before it went', async () => {
  const { serve, measureCanary, window, challenger } = await canaryHome();
  await serve([
    ...many(3, () => ({ variant: challenger, latencyMs: 20 })),
    { at: NOW - 5_000, latencyMs: 1_000 },
    { at: NOW - 100_000, latencyMs: 30 },
    { at: NOW - 120_000 + 1, latencyMs: 40 },
    { at: NOW - 121_000, latencyMs: 2_000 },
  ]);
  const over = { ...window, baselineUntil: at(NOW - 90_000) };
  const [one] = await measureCanary({ ...over, measures: [measure()] });
  expect(one?.baseline).toMatchObject({ value: 40, n: 2 });
});

test('of a challenger that nobody sees, what it found unseen is read; of the champion beside it what it served', async () => {
  const { serve, measureCanary, countCanary, window, challenger } = await canaryHome();
  await serve([
    ...many(4, () => ({ latencyMs: 50 })),
    ...many(3, (n) => ({ variant: challenger, latencyMs: 70, mirrored: true as const, of: 'x', answer: `m${n}` })),
    { variant: challenger, latencyMs: 9 },
  ]);
  const unseen = { ...window, mirrored: true };
  const [one] = await measureCanary({ ...unseen, measures: [measure()] });
  expect(one?.result).toMatchObject({ value: 70, n: 3 });
  expect(one?.baseline).toMatchObject({ value: 50, n: 4 });
  expect(await countCanary(unseen)).toEqual({ requests: 3 });
  expect(await countCanary(window)).toEqual({ requests: 1 });
});

test('beside a challenger that nobody sees, its twin is not seen either', async () => {
  const { serve, measureCanary, twinOf, window, challenger, champion } = await canaryHome();
  const { variant: twin } = await twinOf({ service: SERVICE, variant: champion, cycle: CYCLE });
  await serve([
    ...many(3, (n) => ({ variant: challenger, mirrored: true as const, of: 'x', answer: `c${n}` })),
    ...many(4, (n) => ({ variant: twin, latencyMs: 60, mirrored: true as const, of: 'x', answer: `t${n}` })),
  ]);
  const [one] = await measureCanary({ ...window, baseline: twin, mirrored: true, measures: [measure()] });
  expect(one?.baseline).toMatchObject({ value: 60, n: 4 });
});

test('what may be worse unseen is told from all that both have had since the challenger got its share', async () => {
  const { serve, doubtCanary, window, challenger } = await canaryHome();
  const mustNotice = { errors: 0.2, latency: 0.5 };
  const { doubts } = await doubtCanary({ ...window, mustNotice });
  expect(doubts).toEqual([expect.stringContaining('errors'), expect.stringContaining('latency')]);
  await serve([
    ...many(60, (n) => ({ latencyMs: 50 + (n % 7) })),
    ...many(60, (n) => ({ variant: challenger, latencyMs: 50 + (n % 7) })),
  ]);
  expect(await doubtCanary({ ...window, mustNotice })).toEqual({ doubts: [] });
});

test('a source that cannot be read is an error of the measurement and of the judgement; nothing is thrown', async () => {
  const gone = async () => {
    throw new PawlError('Unavailable', 'the disk does not answer');
  };
  const { measureCanary, judgeCanary, window, artifacts } = await canaryHome({ vitals: { read: gone, series: gone } });
  const error = 'the vitals of docs cannot be read: the disk does not answer';
  expect(await measureCanary({ ...window, measures: [measure()] })).toEqual([
    { name: 'latency', at: at(NOW), result: null, baseline: null, error },
  ]);
  const { evidence, ...judged } = await judgeCanary({
    ...window,
    judging: judging({ metric: 'latency', worse: 'higher' }),
  });
  expect(judged).toEqual({
    outcome: 'error',
    score: null,
    because: 'the disk does not answer',
    metrics: [],
    at: at(NOW),
  });
  expect(await artifacts.getJson(evidence)).toMatchObject({ judgement: { outcome: 'error' }, series: [] });
});

test('a source that fails for one window leaves the measures of the others as they are', async () => {
  const home = await canaryHome();
  const read: VitalsSource['read'] = async (window) => {
    if (window.to - window.from > 40_000) throw new Error('too much at once');
    return home.deps.vitals.read(window);
  };
  const { measureCanary, window } = await canaryHome({ vitals: { ...home.deps.vitals, read } });
  const measures = [measure(), measure({ name: 'long', windowMs: 50_000 })];
  const [short, long] = await measureCanary({ ...window, measures });
  expect(short?.error).toBeNull();
  expect(long?.error).toContain('too much at once');
});

test('what is no number becomes null, as JSON has no such number', async () => {
  const reading: Reading = { value: Number.NaN, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, n: 7 };
  const read: VitalsSource['read'] = async ({ service, variant = null }) => {
    return { service, variant, from: '', to: '', readings: { latency: reading } };
  };
  const { measureCanary, window } = await canaryHome({ vitals: { read, series: async () => [] } });
  const [one] = await measureCanary({ ...window, measures: [measure()] });
  expect(one?.result).toEqual({ value: null, low: null, high: null, n: 7 });
  expect(JSON.parse(JSON.stringify(one))).toEqual(one);
});

test('the judge sees the values of both, and what it saw is kept in short', async () => {
  const { serve, judgeCanary, window, challenger, artifacts } = await canaryHome();
  await serve([
    ...many(100, (n) => ({ latencyMs: 100 + n })),
    ...many(100, (n) => ({ variant: challenger, latencyMs: 160 + n, error: n < 4 ? 'boom' : null })),
  ]);
  const order = {
    ...window,
    judging: judging({ metric: 'latency', worse: 'higher' }, { metric: 'errors', worse: 'higher' }),
  };
  const { evidence, ...judged } = await judgeCanary(order);
  expect(judged).toMatchObject({ outcome: 'failed', score: 0, because: expect.stringContaining('latency') });
  expect(judged.metrics[0]).toMatchObject({ metric: 'latency', class: 'high', n: { challenger: 96, baseline: 100 } });
  expect(judged.metrics[1]).toMatchObject({ metric: 'errors', class: 'pass', n: { challenger: 100, baseline: 100 } });
  expect(await artifacts.getJson(evidence)).toMatchObject({
    stage: 'judge',
    window: { challenger, since: window.since },
    judgement: { outcome: 'failed' },
    series: [
      { metric: 'latency', challenger: { n: 96, min: 164, max: 259 }, baseline: { n: 100, mean: 149.5, p50: 149 } },
      { metric: 'errors', challenger: { n: 100, mean: 0.04 }, baseline: { n: 100, mean: 0, max: 0 } },
    ],
  });
  expect((await judgeCanary(order)).evidence).toEqual(evidence);
});

test('requests count from when the challenger got its share on, whether they were answered or not', async () => {
  const { serve, countCanary, window, challenger } = await canaryHome();
  await serve([
    {},
    { variant: challenger },
    { variant: challenger, error: 'boom', ranked: [] },
    { variant: challenger, at: NOW - 60_000 },
    { variant: challenger, at: NOW - 60_001 },
    { variant: challenger, service: 'other' },
  ]);
  expect(await countCanary(window)).toEqual({ requests: 3 });
});

test('past champions come newest first, each with when and by whom; what was left as broken is none', async () => {
  const { control, pastChampions, champion, challenger, variant, clock, order } = await canaryHome();
  const promote = async (key: string, cycle: string, to: string) => {
    const granted = await control.grant({ ...order(`${key}/lane`), cycle });
    const { epoch = 0, promotion = 0 } = granted.state ?? {};
    clock.now += 1_000;
    const arms = [{ variant: to, share: 1 }];
    const change = { ...order(key), cycle, token: { epoch, promotion }, arms, champion: to };
    expect(await control.shift(change)).toMatchObject({ outcome: 'done' });
  };
  const [third, broken] = [await variant({ stopShare: 0.5 }), await variant({ stopShare: 0.4 })];
  await promote('p1', CYCLE, challenger);
  await promote('p2', 'si_2026_11_21_002', third);
  await promote('p3', 'si_2026_11_21_003', broken);
  await promote('p4', 'fx_2026_11_21_001', third);
  const all = await pastChampions({ service: SERVICE, most: 9 });
  expect(all).toEqual([
    { variant: third, at: at(NOW + 4_000), cycle: 'fx_2026_11_21_001' },
    { variant: challenger, at: at(NOW + 1_000), cycle: CYCLE },
    { variant: champion, at: at(NOW), cycle: null },
  ]);
  expect(await pastChampions({ service: SERVICE, most: 2 })).toEqual(all.slice(0, 2));
  expect(await pastChampions({ service: 'nobody', most: 2 })).toEqual([]);
});

test('the route is what the router holds; of a service that nobody knows there is none', async () => {
  const { readRoute, champion } = await canaryHome();
  expect(await readRoute({ service: SERVICE })).toEqual([{ variant: champion, share: 1 }]);
  expect(await readRoute({ service: 'nobody' })).toBeNull();
});

test('a report is kept under what it says, however often it is', async () => {
  const { keepCanary, trial, artifacts } = await canaryHome();
  const plan = planOf([{ weight: 0.1 }]);
  const report = {
    trial,
    plan,
    detectable: null,
    end: { outcome: 'promoted' },
    steps: [],
    measurements: [],
    judgements: [],
  };
  const kept = await keepCanary(report);
  expect(await keepCanary(report)).toEqual(kept);
  expect(await artifacts.getJson(kept)).toEqual({ stage: 'canary', ...report });
});

const planOf = (steps: CanaryPlan['steps'], analyses: CanaryPlan['analyses'] = {}): CanaryPlan => ({
  ...{ steps, analyses, background: null, holdMs: 1, floor: 0, rollbackWindow: 0, hooks: [], watch: null },
});

test('what a canary would notice is said from the traffic of the champion', async () => {
  const { detectable, trial, serve } = await canaryHome();
  const steps = [{ weight: 0.1 }, { pauseMs: 600_000 }, { analysis: 'standard' }];
  const plan = planOf(steps, { standard: { measures: [], judging: judging({ metric: 'latency', worse: 'higher' }) } });
  const none = await detectable({ trial, plan });
  expect(none).toMatchObject({ requestsPerMinute: 0, effects: [{ metric: 'latency', relative: null }] });
  await serve(many(6_000, (n) => ({ at: NOW - 1 - n * 600, latencyMs: 50 + (n % 97) })));
  const some = await detectable({ trial, plan });
  expect(some.requestsPerMinute).toBe(100);
  expect(some.effects).toMatchObject([
    { metric: 'latency', relative: expect.any(Number), values: { challenger: 100, baseline: 900 } },
  ]);
  expect(some.sentence).toContain('100 requests a minute');
  const unjudged = await detectable({ trial, plan: planOf(steps) });
  expect(unjudged).toMatchObject({
    requestsPerMinute: 100,
    effects: [],
    sentence: expect.stringContaining('conditions'),
  });
});

test('of a champion that serves only since a few minutes, the traffic is reckoned by those', async () => {
  const { detectable, trial, serve } = await canaryHome();
  await serve(many(400, (n) => ({ at: NOW - 1 - n * 600, latencyMs: 50 + (n % 97) })));
  const plan = planOf([{ weight: 0.1 }]);
  const { requestsPerMinute } = await detectable({ trial, plan });
  expect(requestsPerMinute).toBeGreaterThan(50);
  expect(requestsPerMinute).toBeLessThanOrEqual(100);
});

const hookTo = async (answer: (body: string) => number) => {
  const received: Array<{ body: string; request: IncomingMessage }> = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ body, request });
      response.writeHead(answer(body)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}/canary`;
  const hook: Hook = { name: 'warm-up', at: 'before', runs: { url }, timeoutMs: 20_000, decides: true };
  const known = { name: 'warm-up', at: 'before', url, secret: { env: 'HOOK_SECRET' }, allow: [host], timeout: 20_000 };
  return { received, hook, known };
};
const variables = { HOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}` };

test('a hook is told what the canary is about, with the secret that pawl.yaml names and no right to move traffic', async () => {
  const { received, hook, known } = await hookTo(() => 204);
  const { callHook, config, trial } = await canaryHome({ variables });
  Object.assign(config, { canary: { hooks: [{ ...known, name: 'another' }, known] } });
  const answer = await callHook({ hook, key: 'k/1', trial, what: 'canary 1: 10 %' });
  expect(answer).toMatchObject({ ok: true });
  expect(received).toHaveLength(1);
  const { token: _, arms: __, ...about } = trial;
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    hook: 'warm-up',
    key: 'k/1',
    what: 'canary 1: 10 %',
    ...about,
  });
  const { body = '', request } = received[0] ?? {};
  const sent = { method: request?.method ?? '', path: request?.url ?? '', headers: request?.headers ?? {}, body };
  expect(isSigned(sent, { secret: variables.HOOK_SECRET, now: NOW })).toBe(true);
  expect(body).not.toContain(variables.HOOK_SECRET);
});

test.each([
  ['is not in pawl.yaml any more', () => ({ canary: { hooks: [] } }), 'no hook warm-up at http'],
  [
    'has another address by now',
    (known: object) => ({ canary: { hooks: [{ ...known, url: 'http://x' }] } }),
    'no hook warm-up',
  ],
  ['belongs to a service without canaries', () => ({ canary: null }), 'no hook warm-up'],
  [
    'has a secret that is not set',
    (known: object) => ({ canary: { hooks: [{ ...known, secret: { env: 'NOPE' } }] } }),
    'NOPE',
  ],
] as const)('a hook that %s is not called, and that is a no', async (_, configured, because) => {
  const { received, hook, known } = await hookTo(() => 204);
  const { callHook, config, trial } = await canaryHome({ variables });
  Object.assign(config, configured(known));
  const answer = await callHook({ hook, key: 'k/1', trial, what: 'x' });
  expect(answer).toEqual({ ok: false, because: expect.stringContaining(because) });
  expect(received).toEqual([]);
});

test('a series holds what its reading is made of', async () => {
  const { serve, deps, champion } = await canaryHome();
  await serve([
    { latencyMs: 5, ranked: ['a'] },
    { latencyMs: 7, ranked: ['x', 'a'] },
    { latencyMs: 900, ranked: [], error: 'boom' },
    { latencyMs: 9, query: 'nobody judged this' },
    { latencyMs: 11, tenant: 'acme', cost: 0.002 },
    { latencyMs: 1, teams: { [champion]: ['a'], x: ['b'] } },
  ]);
  const window = { service: SERVICE, variant: champion, from: 0, to: NOW };
  const of = (metric: string) => deps.vitals.series({ ...window, metric });
  const sorted = async (metric: string) => [...(await of(metric))].sort((a, b) => a - b);
  expect(await sorted('latency')).toEqual([5, 7, 9, 11]);
  expect(await sorted('latency-p99')).toEqual([5, 7, 9, 11]);
  expect(await sorted('errors')).toEqual([0, 0, 0, 0, 1]);
  expect(await sorted('cost')).toEqual([1, 1, 1, 1, 2]);
  expect(await sorted('mrr')).toEqual([0.5, 1]);
  expect(await sorted('recall')).toEqual([1, 1]);
  expect(await sorted('ndcg')).toEqual([expect.closeTo(1 / Math.log2(3)), 1]);
  for (const odd of ['ndcg-from-clicks', 'whatever', 'constructor', '__proto__']) expect(await of(odd)).toEqual([]);
  expect(await deps.vitals.series({ ...window, metric: 'latency', mirrored: true })).toEqual([]);
});

test('series are read by the newest of a busy window, and those of one window together', async () => {
  const asked: Array<number | undefined> = [];
  const queryLog: LogVitalsDeps['queryLog'] = {
    read: async ({ limit }) => {
      asked.push(limit);
      return [];
    },
  };
  const vitals = logVitals({ queryLog, judged: async () => [] });
  const window = { service: SERVICE, variant: 'v', from: 0, to: 1 };
  await vitals.series({ ...window, metric: 'latency' });
  expect(asked).toEqual([20_000]);
  // Several of one window at once are one read, and of two windows two.
  await Promise.all(['errors', 'latency', 'ndcg'].map((metric) => vitals.series({ ...window, metric })));
  expect(asked).toHaveLength(2);
  await Promise.all([0, 1].map((from) => vitals.series({ ...window, from, metric: 'latency' })));
  expect(asked).toHaveLength(4);
});
