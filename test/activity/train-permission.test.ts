import { expect, onTestFinished, test } from 'vitest';
import { createTrainPermissionActivities } from '../../activities/train-permission.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import type { Environment } from '../../contracts/plan.ts';
import type { Usage } from '../../contracts/stages.ts';
import { shippedPolicy } from '../support/policy.ts';
import { NOON } from '../support/signers.ts';

const LIMITS = { cyclesPerDay: 24, cooldown: 0, running: 2 };

const scene = (limits: Partial<ServiceConfig['limits']> = {}, environment: Environment = 'staging') => {
  const clock = { now: NOON };
  const control = sqliteControl(':memory:', () => clock.now);
  onTestFinished(() => control.close());
  const config = { environment, limits: { ...LIMITS, ...limits } };
  const { mayTrain } = createTrainPermissionActivities({
    control,
    people: async () => [],
    policy: shippedPolicy,
    services: { config: async () => config, all: async () => [config] },
    now: () => clock.now,
  });
  let asked = 0;
  const ask = (key = `question ${++asked}`) =>
    mayTrain({
      ...{ key, workflow: 'pawl:docs:lora:lo_1', service: 'docs', reason: 'for the test', steps: 60 },
      requestedBy: { kind: 'person', name: 'ada' },
    });
  const ended = (kind: string, usage: Usage, service = 'docs') =>
    control.note({
      ...{ key: `end ${++asked}`, service, cycle: null, kind, reason: 'done', body: { usage } },
      actor: { kind: 'lora', name: 'lo_0' },
    });
  return { clock, ask, ended };
};

test('a fine-tune is not begun once the day has used up its money, by cycles and fine-tunes together', async () => {
  const { clock, ask, ended } = scene({ dollarsPerDay: 1 });
  clock.now = NOON - 86_400_000;
  await ended('lora ended', { cents: 500 });
  clock.now = NOON;
  await ended('lora ended', { cents: 500 }, 'shop');
  await ended('lora ended', { cents: 60 });
  expect(await ask()).toMatchObject({ allowed: true });
  await ended('cycle ended', { cents: 40 });
  expect(await ask()).toEqual({ allowed: false, because: expect.stringContaining('100 cents') });
});

test('nor once it has used up its GPU minutes', async () => {
  const { ask, ended } = scene({ gpuMinutesPerDay: 30 });
  expect(await ask('the question')).toMatchObject({ allowed: true });
  await ended('cycle ended', { gpuSeconds: 1_741 });
  expect(await ask()).toEqual({ allowed: false, because: expect.stringContaining('30 GPU minutes') });
  expect(await ask('the question')).toMatchObject({ allowed: true });
});

test('without limits it may take what it takes', async () => {
  const { ask, ended } = scene();
  await ended('lora ended', { cents: 1e6, gpuSeconds: 1e6 });
  expect(await ask()).toMatchObject({ allowed: true });
});
