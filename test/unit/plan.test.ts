import { describe, expect, test } from 'vitest';
import type { ServiceConfig } from '../../contracts/config.ts';
import { ENVIRONMENTS } from '../../contracts/plan.ts';
import { planOf } from '../../domain/plan.ts';
import { settingsOf } from '../../domain/profiles.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const config = (changes: Partial<ServiceConfig> = {}): ServiceConfig => ({
  ...settingsOf('staging'),
  service: 'docs',
  environment: 'staging',
  data: { corpus: '/c', queries: '/q', judgements: { train: '/t', test: '/e' } },
  gateway: { host: '127.0.0.1', port: 8787, limits: {}, trustProxy: [] },
  cpuHour: 0.04,
  folder: '/',
  digest: 'd'.repeat(64),
  commit: null,
  ...changes,
});

test('a plan carries what it was read from', () => {
  expect(planOf(config({ commit: 'abc' }))).toMatchObject({
    environment: 'staging',
    config: 'd'.repeat(64),
    commit: 'abc',
  });
});

test('a person is asked where the approval is required, and only there', () => {
  const approval = { required: true, expires: MINUTE, quorum: 1 };
  expect(planOf(config({ approval })).approval).toEqual({ expiresMs: MINUTE, quorum: 1 });
  expect(planOf(config({ approval: { ...approval, required: false } })).approval).toBeNull();
});

test('a plan says who is asked, how often they are reminded and who is told in the end', () => {
  const escalate = { after: 3 * MINUTE, to: ['admin'] };
  const approval = {
    required: true,
    expires: 9 * MINUTE,
    quorum: 2,
    roles: ['approver'],
    remind: 2 * MINUTE,
    escalate,
  };
  expect(planOf(config({ approval })).approval).toEqual({
    expiresMs: 9 * MINUTE,
    quorum: 2,
    roles: ['approver'],
    remindMs: 2 * MINUTE,
    escalate: { afterMs: 3 * MINUTE, roles: ['admin'] },
  });
});

test('a plan tells people, and holds neither an address nor a secret', () => {
  const notify = [{ webhook: 'https://example.com/hook', secret: { env: 'HOOK_SECRET' }, allow: [] }];
  const plan = planOf(config({ notify }));
  expect(plan.notify).toBe(true);
  expect(JSON.stringify(plan)).not.toMatch(/example\.com|HOOK_SECRET/);
});

describe('a gate keeps its one rule', () => {
  const gate = { metric: 'm', samples: 5, window: MINUTE, within: SECOND };
  test.each([
    [{ drop: 0.03 }, { drop: 0.03 }],
    [{ above: 0 }, { above: 0 }],
    [{ below: 0.7 }, { below: 0.7 }],
  ])('%o', (written, rule) => {
    expect(planOf(config({ gates: { g: { ...gate, ...written } } })).gates).toEqual([
      { name: 'g', metric: 'm', rule, samples: 5, windowMs: MINUTE, withinMs: SECOND },
    ]);
  });
});

test('a plan counts budgets in whole cents and minutes, and has none that nobody set', () => {
  const limits = { cyclesPerDay: 3, cooldown: MINUTE, running: 2 };
  expect(planOf(config({ limits })).limits).toEqual({ cyclesPerDay: 3, cooldownMs: MINUTE, running: 2 });
  const budgets = { ...limits, dollarsPerDay: 4.35, gpuMinutesPerDay: 90 };
  expect(planOf(config({ limits: budgets })).limits).toMatchObject({ centsPerDay: 435, gpuMinutesPerDay: 90 });
});

test('training runs where the devices are, and may take as long as its search plus the reading', () => {
  const { stages, training } = planOf(config({ training: { trials: 5, time: 10 * SECOND, seed: 3 } }));
  expect(stages.train).toMatchObject({ taskQueue: 'pawl-train-gpu', name: 'train' });
  expect(stages.train.timeoutMs).toBeGreaterThan(10 * SECOND);
  expect(training).toEqual({ trials: 5, seconds: 10, seed: 3 });
});

test('every built-in stage notices a lost worker within 15 seconds', () => {
  for (const { heartbeatMs, timeoutMs } of Object.values(planOf(config()).stages)) {
    expect(heartbeatMs ?? timeoutMs).toBeLessThanOrEqual(15 * SECOND);
  }
});

test('a service’s own stage takes the place of the built-in one', () => {
  const { stages } = planOf(
    config({
      stages: {
        train: { activity: 'trainReranker', taskQueue: 'my-gpu', timeout: MINUTE, heartbeat: SECOND },
        evaluate: { workflow: 'judge', taskQueue: 'mine', timeout: MINUTE },
      },
    }),
  );
  expect(stages.train).toEqual({
    runs: 'activity',
    name: 'trainReranker',
    taskQueue: 'my-gpu',
    timeoutMs: MINUTE,
    heartbeatMs: SECOND,
  });
  expect(stages.evaluate).toEqual({ runs: 'workflow', name: 'judge', taskQueue: 'mine', timeoutMs: MINUTE });
  expect(stages.monitor.name).toBe('findBreach');
});

test.each(ENVIRONMENTS)('the profile of %s is a whole plan', (environment) => {
  const plan = planOf(config({ ...settingsOf(environment), environment }));
  expect(plan.gates.map(({ name }) => name)).toEqual(['ndcg', 'latency', 'errors']);
});

test('dev only looks, staging asks a person, production acts alone', () => {
  const of = (environment: (typeof ENVIRONMENTS)[number]) =>
    planOf(config({ ...settingsOf(environment), environment }));
  expect(of('dev')).toMatchObject({ mode: 'observe', approval: null });
  expect(of('staging')).toMatchObject({ mode: 'act', approval: { expiresMs: expect.any(Number) } });
  expect(of('production')).toMatchObject({ mode: 'act', approval: { expiresMs: expect.any(Number) } });
});
