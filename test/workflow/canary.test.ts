/** What a canary does with what it finds. What people say to it meanwhile stands in canary-messages.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CanaryActivities, CanaryPlan, CanaryStep, CanaryWindow, Hook, Measure } from '../../contracts/canary.ts';
import { type CanaryInput, retryUpdate } from '../../contracts/canary-messages.ts';
import { PawlError } from '../../contracts/failures.ts';
import {
  analysisOf,
  type CanaryHandle,
  canaryPlan,
  canaryStatus,
  canaryTo,
  errorsBelow,
  judgingLatency,
  measured,
  startCanary,
  whenCanary,
} from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import { door } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.end());

/** A canary of a service of its own, in a world that answers by this script. */
const started = async (
  steps: readonly CanaryStep[],
  script: Partial<CanaryActivities> = {},
  plan: Partial<CanaryPlan> = {},
  input: Partial<CanaryInput> = {},
): Promise<CanaryHandle> => {
  service = `canary-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan();
  world.canary = canaryTo(world.control, script);
  return startCanary(world, service, canaryPlan(steps, plan), input);
};
const WATCHED = [{ weight: 0.1 }, { analysis: 'errors' }] as const;
const shares = async (): Promise<Record<string, number>> => {
  const names: Record<string, string> = { [championOf(service)]: 'champion', [challengerOf(service)]: 'challenger' };
  const { arms = [] } = (await world.control.state(service)) ?? {};
  return Object.fromEntries(arms.map(({ variant, share }) => [names[variant] ?? 'twin', share]));
};
const rows = (kind: string) => world.control.ledger({ service, kind });
const moves = async (): Promise<readonly string[]> => (await rows('shift')).map(({ reason }) => reason);
const WENT_BACK = ['canary 1: 10 %', 'canary: back to the champion'];

/** What was measured, by its windows. */
const windows = (script: CanaryActivities['measureCanary'] = measured(0.01)) => {
  const seen: Array<CanaryWindow & { readonly measures: readonly Measure[] }> = [];
  const measureCanary: CanaryActivities['measureCanary'] = async (order) => {
    seen.push(order);
    return script(order);
  };
  return { seen, measureCanary };
};

describe('a challenger', () => {
  test('that is as good gets its share, is looked at, and becomes champion', async () => {
    const handle = await started(WATCHED);
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'promoted', because: expect.stringContaining('every step') });
    expect(end.evidence).toEqual(evidenceOf(`report of ${service}`));
    expect(await moves()).toEqual(['canary 1: 10 %', 'canary: promotion']);
    expect(await world.control.state(service)).toMatchObject({ champion: challengerOf(service) });
    expect((await rows('canary ended')).map(({ body }) => body)).toEqual([expect.objectContaining(end)]);
  });

  test('says beforehand what it could notice, and afterwards what was seen, step by step', async () => {
    const handle = await started(WATCHED);
    await handle.result();
    const status = await canaryStatus(handle);
    expect(status.detectable?.sentence).toBe('it would notice latency +20 %');
    expect(status).toMatchObject({ step: null, weight: 1, end: { outcome: 'promoted' }, waitsFor: null });
    expect(status.plan).toEqual(['10 %', 'analysis errors']);
    expect(status.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
      ...['before done', 'canary 1 done', 'canary 2 done', 'enough done'],
    ]);
    expect(status.measurements.map(({ result }) => result?.value)).toEqual([0.01, 0.01]);
    const { currentDetails = '' } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(
      /it would notice latency[\s\S]*canary 2[\s\S]*errors passed 2 of 2 times[\s\S]*promoted/,
    );
  });

  test('that fails is taken back, and it is said how long users had it', async () => {
    const handle = await started(WATCHED, { measureCanary: measured(0.5) });
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'rolled back', because: expect.stringContaining('errors failed once') });
    expect(end.faultToChampionMs).toBeGreaterThan(0);
    expect(end.faultToChampionMs).toBeLessThan(30_000);
    expect(end).not.toHaveProperty('championBroken');
    expect(await shares()).toEqual({ champion: 1 });
    expect(await moves()).toEqual(WENT_BACK);
  });

  test('that fails as the champion does shows that the champion is broken too', async () => {
    const handle = await started(WATCHED, { measureCanary: measured(0.5, 0.6) });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', championBroken: true });
  });

  test('that is worse than the champion says nothing of the champion', async () => {
    const analyses = { errors: analysisOf({ success: 'result.value <= baseline.value - 0.1', failure: null }) };
    const handle = await started(WATCHED, { measureCanary: measured(0.5, 0.5) }, { analyses });
    const end = await handle.result();
    expect(end.outcome).toBe('rolled back');
    expect(end).not.toHaveProperty('championBroken');
  });

  test('that cannot be measured is taken back', async () => {
    const broken = async () => {
      throw new PawlError('NotFound', 'no log');
    };
    const handle = await started(WATCHED, { measureCanary: broken });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because: expect.stringContaining('no log') });
    expect(await shares()).toEqual({ champion: 1 });
  });

  test('of whom a measurement is left out counts as not measured', async () => {
    const handle = await started(WATCHED, { measureCanary: async () => [] });
    expect(await handle.result()).toMatchObject({ because: expect.stringContaining('it was left out') });
  });

  test('whom the judge finds worse is taken back', async () => {
    const analyses = { errors: { measures: [], judging: judgingLatency } };
    const judgeCanary: CanaryActivities['judgeCanary'] = async () => ({
      ...{ outcome: 'failed', score: 40, because: 'latency is higher', metrics: [], evidence: evidenceOf('judged') },
    });
    const handle = await started(WATCHED, { judgeCanary }, { analyses });
    const because = expect.stringContaining('latency is higher');
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because });
    expect((await canaryStatus(handle)).judgements).toMatchObject([{ score: 40 }]);
  });

  test('nobody knows enough of is held, and goes back where nobody answers', async () => {
    const handle = await started(WATCHED, { measureCanary: measured(null) }, { holdMs: 1_000 });
    const { waitsFor, weight } = await whenCanary(handle, (status) => status.waitsFor !== null);
    expect({ waitsFor, weight }).toMatchObject({ weight: 0.1, waitsFor: { kind: 'hold', step: 'hold 1' } });
    const because = expect.stringMatching(/errors was inconclusive.*no person decided in time/);
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because });
    expect(await moves()).toEqual(WENT_BACK);
  });

  test.for([
    ['too few requests', async () => ({ requests: 99 }), 'it has answered 99 requests, and the plan asks for 100'],
    ['nobody knows how many', async () => Promise.reject(new PawlError('NotFound', 'no log')), 'an unknown number'],
  ] as const)('with %s is held, not promoted', async ([, countCanary, because]) => {
    const handle = await started(WATCHED, { countCanary }, { floor: 100, holdMs: 1_000 });
    const { waitsFor } = await whenCanary(handle, (status) => status.waitsFor !== null);
    expect(waitsFor).toMatchObject({ about: 'floor', because: expect.stringContaining(because) });
    expect((await handle.result()).outcome).toBe('rolled back');
  });

  test('with as many requests as the plan asks for is not held', async () => {
    const handle = await started(WATCHED, { countCanary: async () => ({ requests: 100 }) }, { floor: 100 });
    expect((await handle.result()).outcome).toBe('promoted');
  });

  test.for([
    [
      'may be worse than may pass unseen',
      async () => ({ doubts: ['errors +5 points is not ruled out'] }),
      'not ruled out',
    ],
    ['cannot be read for that', async () => Promise.reject(new PawlError('NotFound', 'no log')), 'cannot be read'],
  ] as const)('that %s is held, not promoted', async ([, doubtCanary, because]) => {
    const handle = await started(WATCHED, { doubtCanary }, { mustNotice: { errors: 0.05 }, holdMs: 1_000 });
    const { waitsFor } = await whenCanary(handle, (status) => status.waitsFor !== null);
    expect(waitsFor).toMatchObject({ about: 'floor', because: expect.stringContaining(because) });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because: expect.stringContaining(because) });
    expect(await moves()).toEqual(WENT_BACK);
  });

  test('of whom all that must be noticed is ruled out is promoted, whatever had been doubted before', async () => {
    const seen: object[] = [];
    const doubtCanary: CanaryActivities['doubtCanary'] = async ({ mustNotice, since }) => {
      seen.push({ mustNotice, since });
      return { doubts: seen.length === 1 ? ['latency +50 % is not ruled out'] : [] };
    };
    const mustNotice = { latency: 0.5 };
    const handle = await started(WATCHED, { doubtCanary }, { mustNotice });
    const { waitsFor } = await whenCanary(handle, (status) => status.waitsFor !== null);
    const { step = '', variant = '', evidence = '' } = waitsFor ?? {};
    const token = world.sign({ action: 'retry', workflow: handle.workflowId, step, variant, evidence });
    await handle.executeUpdate(retryUpdate, { args: [{ token }] });
    expect((await handle.result()).outcome).toBe('promoted');
    expect(seen).toEqual(Array(2).fill({ mustNotice, since: expect.any(String) }));
  });

  test('is held where the plan names an analysis that it does not hold', async () => {
    const handle = await started([{ weight: 0.1 }, { analysis: 'typo' }], {}, { holdMs: 500 });
    expect(await handle.result()).toMatchObject({
      outcome: 'rolled back',
      because: expect.stringContaining('nothing'),
    });
  });
});

describe('in the background', () => {
  const background = { analysis: 'errors', fromStep: 0 };
  const forEver = { errors: analysisOf({ count: null }) };

  test('a failure ends a pause that would be long', async () => {
    let value = 0.01;
    const measureCanary: CanaryActivities['measureCanary'] = (order) => measured(value)(order);
    const plan = { background, analyses: forEver };
    const handle = await started([{ weight: 0.1 }, { pauseMs: 3_600_000 }], { measureCanary }, plan);
    await whenCanary(handle, ({ measurements }) => measurements.length > 2);
    value = 0.5;
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
    expect(await shares()).toEqual({ champion: 1 });
  });

  test('nothing is promoted that was not looked at once, however short the steps are', async () => {
    const { seen, measureCanary } = windows();
    const analyses = { errors: analysisOf({ count: null, delayMs: 1_000 }) };
    const handle = await started([{ weight: 0.1 }], { measureCanary }, { background, analyses });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(seen).toHaveLength(1);
  });

  test('a look that found nothing is no pass: a person is asked', async () => {
    const analyses = { errors: analysisOf({ count: null, inconclusiveLimit: 100 }) };
    const script = { measureCanary: measured(null) };
    const handle = await started([{ weight: 0.1 }], script, { background, analyses, holdMs: 500 });
    const because = expect.stringContaining('had not passed');
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because });
  });

  test('it begins with its step, and measures nothing from before the share', async () => {
    const { seen, measureCanary } = windows();
    const steps = [{ pauseMs: 300 }, { weight: 0.1 }, { pauseMs: 300 }];
    const handle = await started(steps, { measureCanary }, { background, analyses: forEver });
    await handle.result();
    const { steps: reports } = await canaryStatus(handle);
    const begun = reports.find(({ step }) => step === 'canary 2')?.startedAt ?? '';
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.every(({ since, at = '' }) => since >= begun && at >= since)).toBe(true);
    expect(new Set(seen.map(({ since }) => since)).size).toBe(1);
  });
});

describe('steps', () => {
  test('with a fresh baseline the challenger is held against a copy that began when it did', async () => {
    const { seen, measureCanary } = windows();
    const reached = door();
    const steps = [{ weight: 0.05 }, { baseline: true }, { weight: 0.2 }, { analysis: 'errors' }] as const;
    const handle = await started(steps, {
      measureCanary: async (order) => reached.opened.then(() => measureCanary(order)),
    });
    await whenCanary(handle, ({ step }) => step === 'canary 4');
    expect(await shares()).toEqual({ champion: 0.6, challenger: 0.2, twin: 0.2 });
    reached.open();
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    const { twin, steps: reports } = await canaryStatus(handle);
    expect(seen.every(({ baseline }) => baseline === twin)).toBe(true);
    const twinned = reports.find(({ step }) => step === 'canary 2')?.startedAt ?? '';
    expect(seen.every(({ since }) => since >= twinned)).toBe(true);
    expect(await moves()).toEqual([
      'canary 1: 5 %',
      expect.stringMatching(/^canary 2: fresh baseline/),
      ...['canary 3: 20 %', 'canary: promotion'],
    ]);
  });

  test('a mirrored challenger answers nobody, and is measured by what it found unseen', async () => {
    const { seen, measureCanary } = windows();
    const steps = [{ mirror: 0.2 }, { analysis: 'errors' }, { weight: 0.1 }, { analysis: 'errors' }];
    const handle = await started(steps, { measureCanary });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(seen.map(({ mirrored }) => mirrored ?? false)).toEqual([true, true, false, false]);
    const [first] = await rows('shift');
    expect(first?.body.arms).toEqual([
      { variant: championOf(service), share: 1 },
      { variant: challengerOf(service), share: 0, mirror: 0.2 },
    ]);
  });

  test('a challenger that was champion not long ago takes none of them', async () => {
    const past = (n: number, variant: string) => ({ variant, at: `2026-01-0${n}T00:00:00.000Z`, cycle: null });
    const pastChampions: CanaryActivities['pastChampions'] = async ({ most }) => {
      expect(most).toBe(3);
      return [past(3, championOf(service)), past(2, 'another'), past(1, challengerOf(service))];
    };
    const handle = await started(WATCHED, { pastChampions }, { rollbackWindow: 2, floor: 1_000_000 });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted', because: 'it was champion not long ago' });
    expect(await moves()).toEqual(['canary: promotion']);
  });

  test('one that was never champion takes all of them', async () => {
    const pastChampions = async () => [{ variant: championOf(service), at: '', cycle: null }];
    const handle = await started(WATCHED, { pastChampions }, { rollbackWindow: 2 });
    await handle.result();
    expect(await moves()).toHaveLength(2);
  });

  test('the router may be slow to show a change', async () => {
    let reads = 0;
    const readRoute: CanaryActivities['readRoute'] = async (order) =>
      ++reads % 2 === 1 ? null : canaryTo(world.control).readRoute(order);
    const handle = await started(WATCHED, { readRoute });
    expect(await handle.result()).toMatchObject({
      outcome: 'promoted',
      because: expect.not.stringContaining('router'),
    });
  });
});

describe('hooks', () => {
  const hook = (at: Hook['at'], decides = true): Hook => ({
    ...{ name: `ask-${at}`, at, runs: { url: 'https://hooks.example.com' }, timeoutMs: 5_000, decides },
  });
  const no = async () => ({ ok: false, because: 'not on a Friday' });

  test('one that says no beforehand ends it before any traffic moved', async () => {
    const handle = await started(WATCHED, { callHook: no }, { hooks: [hook('before')] });
    const because = 'hook ask-before says no: not on a Friday';
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because });
    expect(await moves()).toEqual([]);
  });

  test('one that is silent has said no, and what was moved goes back', async () => {
    const callHook: CanaryActivities['callHook'] = async ({ what }) => {
      if (what.startsWith('canary 2')) throw new PawlError('NotAllowed', 'nobody there');
      return { ok: true, because: '' };
    };
    const handle = await started(WATCHED, { callHook }, { hooks: [hook('step')] });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because: expect.stringContaining('nobody') });
    expect(await moves()).toEqual(WENT_BACK);
  });

  test('each is asked under a key of its own; one that does not decide is only told', async () => {
    const asked: string[] = [];
    const callHook: CanaryActivities['callHook'] = async ({ key }) => {
      asked.push(key.replace(/^.*\/hook\//, ''));
      return no();
    };
    const hooks = [hook('before', false), hook('step', false), hook('after')];
    const handle = await started(WATCHED, { callHook }, { hooks });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(asked).toEqual([
      ...['ask-before/before', 'ask-step/canary 1: 10 %', 'ask-step/canary 2: analysis errors'],
      'ask-after/after: promoted',
    ]);
  });
});

describe('what the store refuses', () => {
  test.for(['canary 1', 'promotion'] as const)(
    'after a kill before %s, ends it, and is not tried again',
    async (when) => {
      const reached = door();
      const killed = door();
      const pausing = async () => {
        reached.open();
        await killed.opened;
      };
      const handle = await started(WATCHED, {
        detectable: async () => {
          if (when === 'canary 1') await pausing();
          return { requestsPerMinute: 1, effects: [], sentence: 'much' };
        },
        measureCanary: async (order) => {
          if (when === 'promotion') await pausing();
          return measured(0.01)(order);
        },
      });
      await reached.opened;
      const actor = { kind: 'person', name: 'ada' };
      await world.control.kill({ key: `${service}/kill`, service, actor, reason: 'it smells' });
      killed.open();
      expect(await handle.result()).toMatchObject({ outcome: 'refused', refusal: 'stale epoch' });
      expect(await shares()).toEqual({ champion: 1 });
      const refusals = (await rows('shift')).filter(({ body }) => body.outcome === 'refused');
      expect(refusals).toHaveLength(1);
    },
  );

  test('by its policy leaves traffic as it was', async () => {
    const handle = await started(WATCHED, {
      detectable: async () => {
        world.plan = testPlan({ mode: 'advise' });
        return { requestsPerMinute: 1, effects: [], sentence: 'much' };
      },
    });
    expect(await handle.result()).toMatchObject({ outcome: 'refused', refusal: 'policy' });
    expect(await shares()).toEqual({ champion: 1 });
  });
});

describe('whatever happens to the machinery', () => {
  test('a change that the store cannot take now is repeated until it can, and is made once', async () => {
    const { shift } = world.control;
    let busy = 0;
    world.control.shift = async (change) => {
      if (change.reason.includes('back') && ++busy <= 3) throw new PawlError('StoreBusy', 'locked');
      return shift(change);
    };
    try {
      const handle = await started(WATCHED, { measureCanary: measured(0.5) });
      expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
      expect(await moves()).toEqual(WENT_BACK);
      expect(busy).toBe(4);
    } finally {
      world.control.shift = shift;
    }
  });

  test('workers that are gone between the verdict and the way back find it where it stood', async () => {
    const judged = door();
    const handle = await started(WATCHED, {
      measureCanary: async (order) => {
        judged.open();
        return measured(0.5)(order);
      },
    });
    await judged.opened;
    await world.stopWorkers();
    await world.startWorkers({ maxCachedWorkflows: 0 });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
    expect(await moves()).toEqual(WENT_BACK);
    await world.stopWorkers();
    await world.startWorkers();
  });

  test('it continues as new wherever it waits, and knows everything it knew', async () => {
    const { seen, measureCanary } = windows();
    const analyses = { errors: analysisOf({ count: 8, intervalMs: 50 }), background: analysisOf({ count: null }) };
    const background = { analysis: 'background', fromStep: 0 };
    const steps = [{ weight: 0.1 }, { analysis: 'errors' }, { weight: 0.5 }, { pauseMs: 200 }];
    const handle = await started(steps, { measureCanary }, { analyses, background }, { historyLimit: 40 });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    const { runId } = await handle.describe();
    expect(runId).not.toBe(handle.firstExecutionRunId);
    const inline = seen.filter(({ measures }) => measures[0]?.intervalMs === 50);
    expect(inline).toHaveLength(8);
    expect(await moves()).toEqual(['canary 1: 10 %', 'canary 3: 50 %', 'canary: promotion']);
    const { steps: reports } = await canaryStatus(handle);
    expect(reports.map(({ step }) => step)).toEqual([
      ...['before', 'canary 1', 'canary 2', 'canary 3', 'canary 4', 'enough'],
    ]);
  });

  test('a measure that is only shown decides nothing', async () => {
    const dry = errorsBelow({ name: 'shown', dryRun: true });
    const analyses = { errors: { measures: [errorsBelow(), dry], judging: null } };
    const measureCanary: CanaryActivities['measureCanary'] = async (order) =>
      (await measured(0.01)(order)).map((one) => (one.name === 'shown' ? { ...one, result: null } : one));
    const handle = await started(WATCHED, { measureCanary }, { analyses });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });
});
