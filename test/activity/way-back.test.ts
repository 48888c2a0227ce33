/** A fix goes back without asking anybody; everything else that makes a champion asks. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createControlActivities } from '../../activities/control.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { TrafficChange } from '../../contracts/traffic.ts';
import { addVariant, promoteTo } from '../support/fixes.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf } from '../support/policy.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const SERVICE = 'docs';
const FIX = 'fx_2026_11_21_001';
const [gold, first] = [championOf(SERVICE), challengerOf(SERVICE)];

/** Gold, a first and a second champion; the lane is given to whoever is named. Whatever is asked of the policy is refused. */
const scene = async (cycle = FIX) => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  await registerService(control, SERVICE);
  const second = await addVariant(control, SERVICE, 'second');
  const never = await addVariant(control, SERVICE, 'never champion');
  await promoteTo(control, SERVICE, first);
  await promoteTo(control, SERVICE, second);
  const row = { service: SERVICE, cycle, actor: { kind: 'fix', name: cycle }, reason: 'for the test' };
  const { state } = await control.grant({ ...row, key: 'lane' });
  const token = { epoch: state?.epoch ?? 0, promotion: state?.promotion ?? 0 };
  const { shiftTraffic } = createControlActivities({
    control,
    people: async () => [],
    policy: { decide: async ({ id }) => ({ id, allowed: false, policies: [], because: 'asked', bundle: '' }) },
    services: servicesOf(() => testPlan()),
    now: Date.now,
  });
  const back = (champion: string, over: Partial<TrafficChange> = {}) =>
    shiftTraffic({ ...row, key: 'back', token, arms: [{ variant: champion, share: 1 }], champion, ...over });
  return { control, second, never, back };
};
const ASKED = { outcome: 'refused', because: 'policy', why: 'asked' };

describe('nobody is asked', () => {
  test('by a fix that goes back to a champion of before', async () => {
    const { back } = await scene();
    expect(await back(first)).toMatchObject({ outcome: 'done', state: { champion: first } });
  });
  test('by a fix that goes back to gold, whether or not it was champion', async () => {
    const { back, control, never } = await scene();
    const order = { key: 'gold', service: SERVICE, actor: { kind: 'person', name: 'ada' }, reason: 'test' };
    await control.setGold({ ...order, variant: never });
    expect(await back(never)).toMatchObject({ outcome: 'done', state: { champion: never } });
  });
});

describe('the policy is asked, as about any promotion,', () => {
  test('when a fix makes champion what never was', async () => {
    const { back, never } = await scene();
    expect(await back(never)).toMatchObject(ASKED);
  });
  test('when a cycle does the same as a fix', async () => {
    const { back } = await scene('si_2026_11_21_001');
    expect(await back(first)).toMatchObject(ASKED);
  });
  test('when somebody calls itself a fix, and was never given the lane', async () => {
    const { back } = await scene('si_2026_11_21_001');
    expect(await back(first, { cycle: FIX })).toMatchObject(ASKED);
  });
  test('when a fix leaves another one a share, or mirrors to it', async () => {
    const { back, never } = await scene();
    const some = [
      { variant: first, share: 0.9 },
      { variant: never, share: 0.1 },
    ];
    expect(await back(first, { arms: some })).toMatchObject(ASKED);
    const mirror = [
      { variant: first, share: 1 },
      { variant: never, share: 0, mirror: 0.1 },
    ];
    expect(await back(first, { arms: mirror, key: 'mirror' })).toMatchObject(ASKED);
  });
});

test('a fix that was overtaken moves nothing, way back or not', async () => {
  const { back, control, second } = await scene();
  await promoteTo(control, SERVICE, second);
  expect(await back(gold)).toMatchObject({ outcome: 'refused', because: 'stale promotion' });
});
