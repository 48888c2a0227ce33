/** What people say to a canary, in every step of it: once, twice and at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CanaryActivities, CanaryPlan, CanaryStep } from '../../contracts/canary.ts';
import {
  type CanaryInput,
  promoteSignal,
  promoteUpdate,
  retrySignal,
  retryUpdate,
  undoSignal,
  undoUpdate,
} from '../../contracts/canary-messages.ts';
import {
  type Answer,
  abortSignal,
  abortUpdate,
  killSignal,
  killUpdate,
  pauseUpdate,
  resumeUpdate,
  skipSignal,
  skipUpdate,
} from '../../contracts/messages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import {
  analysisOf,
  type CanaryHandle,
  canaryPlan,
  canaryStatus,
  canaryTo,
  heldAndSteady,
  measured,
  startCanary,
  steadyAlone,
  trialOf,
  whenCanary,
} from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

const HOUR = 3_600_000;
const UPDATES = {
  ...{ promote: promoteUpdate, retry: retryUpdate, skip: skipUpdate, resume: resumeUpdate },
} as const;

let world: World;
let service: string;
let services = 0;
let shift: World['control']['shift'];
beforeAll(async () => {
  world = await createWorld();
  shift = world.control.shift;
}, 60_000);
afterAll(() => world.end());
beforeEach(() => {
  world.control.shift = shift;
});

const started = async (
  steps: readonly CanaryStep[],
  script: Partial<CanaryActivities> = {},
  plan: Partial<CanaryPlan> = {},
  input: Partial<CanaryInput> = {},
): Promise<CanaryHandle> => {
  service = `said-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan();
  world.canary = canaryTo(world.control, script);
  return startCanary(world, service, canaryPlan(steps, plan), input);
};

/** By ada, for the present question or step, unless it is said otherwise. */
const signed = async (
  handle: CanaryHandle,
  action: keyof typeof UPDATES,
  claims: Partial<TokenClaims> = {},
  sign: World['sign'] = world.sign,
): Promise<string> => {
  const { waitsFor, step } = await canaryStatus(handle);
  const bound = action === 'resume' ? {} : action === 'skip' ? { step } : waitsFor ? boundTo(waitsFor) : { step };
  return sign({ action, workflow: handle.workflowId, ...bound, ...claims });
};
const boundTo = ({ step, variant, evidence }: { step: string; variant: string; evidence: string }) => ({
  ...{ step, variant, evidence },
});
const send = (handle: CanaryHandle, action: keyof typeof UPDATES, token: string): Promise<Answer> =>
  handle.executeUpdate(UPDATES[action], { args: [{ token }] });
const say = async (handle: CanaryHandle, action: keyof typeof UPDATES, claims: Partial<TokenClaims> = {}) =>
  send(handle, action, await signed(handle, action, claims));

const servesAlone = async (): Promise<string | undefined> => {
  const { arms = [] } = (await world.control.state(service)) ?? {};
  return arms.length === 1 ? arms[0]?.variant : undefined;
};
const waits = (handle: CanaryHandle) => whenCanary(handle, ({ waitsFor }) => waitsFor !== null);
const shifts = async () => (await world.control.ledger({ service, kind: 'shift' })).map(({ reason }) => reason);

interface Place {
  readonly name: string;
  readonly begin: () => Promise<CanaryHandle>;
  /** Signed, these do something there. */
  readonly takes: ReadonlyArray<keyof typeof UPDATES>;
  /** Lets go of what is held, if something is. */
  readonly release?: () => void;
}

let held = door();
const holding = (activity: 'detectable' | 'measureCanary') => async (): Promise<CanaryHandle> => {
  held = door();
  const mine = held;
  const reached = door();
  const handle = await started([{ weight: 0.1 }, { analysis: 'errors' }], {
    [activity]: async (order: never) => {
      reached.open();
      await mine.opened;
      return canaryTo(world.control)[activity](order);
    },
  });
  await reached.opened;
  return handle;
};
const holdingShift = (reason: string) => async (): Promise<CanaryHandle> => {
  held = door();
  const mine = held;
  const reached = door();
  world.control.shift = async (change) => {
    if (change.reason === reason) {
      reached.open();
      await mine.opened;
    }
    return shift(change);
  };
  const handle = await started([{ weight: 0.1 }]);
  await reached.opened;
  return handle;
};
const release = () => held.open();

const places: readonly Place[] = [
  { name: 'before the first step', begin: holding('detectable'), takes: [], release },
  { name: 'while a change of traffic is under way', begin: holdingShift('canary 1: 10 %'), takes: [], release },
  {
    name: 'in a pause',
    begin: async () => {
      const handle = await started([{ weight: 0.1 }, { pauseMs: HOUR }]);
      await whenCanary(handle, ({ step }) => step === 'canary 2');
      return handle;
    },
    takes: ['skip'],
  },
  { name: 'in an analysis', begin: holding('measureCanary'), takes: ['skip'], release },
  {
    name: 'where a person is to approve',
    begin: async () => {
      const handle = await started([{ weight: 0.1 }, { approval: true }]);
      await waits(handle);
      return handle;
    },
    takes: ['promote'],
  },
  {
    name: 'while it is held',
    begin: async () => {
      let looks = 0;
      const measureCanary: CanaryActivities['measureCanary'] = (order) => measured(++looks === 1 ? null : 0.01)(order);
      const handle = await started([{ weight: 0.1 }, { analysis: 'errors' }], { measureCanary });
      await waits(handle);
      return handle;
    },
    takes: ['promote', 'retry'],
  },
];

describe.for(places)('$name', ({ begin, takes, release: letGo }) => {
  test('abort, undo, kill and a cancellation, twice and at once, come to one end, and traffic is as it was', async () => {
    const handle = await begin();
    const restriction = { by: 'ada', reason: 'it smells' };
    const said = [abortSignal, undoSignal, killSignal, abortSignal, killSignal].map((signal) =>
      handle.signal(signal, restriction),
    );
    const answered = [abortUpdate, undoUpdate, killUpdate, abortUpdate].map((update) =>
      handle.executeUpdate(update, { args: [restriction] }),
    );
    const cancelled = handle.cancel();
    letGo?.();
    await Promise.allSettled([...said, ...answered, cancelled]);
    expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
    expect(await servesAlone()).toBe(championOf(service));
    expect((await shifts()).filter((reason) => reason.includes('back')).length).toBeLessThanOrEqual(1);
    expect(await world.control.ledger({ service, kind: 'canary ended' })).toHaveLength(1);
  });

  test(`of what is signed it takes ${takes.join(', ') || 'nothing'}, and refuses the rest`, async () => {
    const handle = await begin();
    for (const action of ['promote', 'retry', 'skip'] as const) {
      if (!takes.includes(action)) expect(await say(handle, action)).toMatchObject({ accepted: false });
    }
    const [first] = takes;
    if (first) expect(await say(handle, first)).toMatchObject({ accepted: true });
    letGo?.();
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('paused there it takes no further step until a signed resume', async () => {
    const handle = await begin();
    expect(await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada' }] })).toMatchObject({ accepted: true });
    await handle.executeUpdate(pauseUpdate, { args: [{ by: 'bob' }] });
    const [first] = takes;
    if (first) await say(handle, first);
    letGo?.();
    await whenCanary(handle, ({ step, waitsFor }) => step === null && waitsFor === null);
    expect(await canaryStatus(handle)).toMatchObject({ paused: true, end: null });
    expect(await handle.executeUpdate(resumeUpdate, { args: [{ token: 'made up' }] })).toMatchObject({
      accepted: false,
    });
    expect(await say(handle, 'resume')).toEqual({ accepted: true, what: 'resumed' });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });
});

describe('a promotion that has been ordered', () => {
  test('is the end, whatever was said while it was under way', async () => {
    const handle = await holdingShift('canary: promotion')();
    const answer = await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada' }] });
    await handle.cancel();
    expect(answer).toMatchObject({ accepted: true, what: expect.stringContaining('unless its promotion has taken') });
    release();
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(await servesAlone()).toBe(challengerOf(service));
  });

  test('is not undone here: whoever asks is told where', async () => {
    const kept = door();
    const reached = door();
    const handle = await started([{ weight: 0.1 }], {
      keepCanary: async () => {
        reached.open();
        await kept.opened;
        return evidenceOf('report');
      },
    });
    await reached.opened;
    for (const update of [undoUpdate, abortUpdate, killUpdate])
      expect(await handle.executeUpdate(update, { args: [{ by: 'ada' }] })).toEqual({
        accepted: false,
        because: expect.stringContaining('`pawl canary undo si_2026_11_21_001`'),
      });
    expect(await say(handle, 'resume')).toMatchObject({ accepted: false });
    kept.open();
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });
});

describe('a decision', () => {
  const asking = async (input: Partial<CanaryInput> = {}) => {
    const handle = await started([{ weight: 0.1 }, { approval: true }], {}, {}, input);
    await waits(handle);
    return handle;
  };

  test('counts for the question that it was signed for, and for no other', async () => {
    const handle = await asking();
    const others: ReadonlyArray<Partial<TokenClaims>> = [
      { step: 'canary 1' },
      { variant: championOf(service) },
      { evidence: evidenceOf('another').sha256 },
      { workflow: `${handle.workflowId}-2` },
      { action: 'approve' },
      { expiresAt: new Date(Date.now() - 1_000).toISOString() },
    ];
    for (const claims of others) {
      expect(await say(handle, 'promote', claims)).toMatchObject({ accepted: false });
    }
    expect(await say(handle, 'promote')).toEqual({ accepted: true, what: 'canary 2 goes on' });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    const { steps } = await canaryStatus(handle);
    expect(steps.find(({ step }) => step === 'canary 2')?.summary).toContain('promote by ada: looks right');
  });

  test('is not that of the one who asked for the cycle', async () => {
    const handle = await asking({
      trial: { ...(await trialFor(`said-${services + 1}`)), requestedBy: { kind: 'person', name: 'ada' } },
    });
    expect(await say(handle, 'promote')).toMatchObject({
      because: expect.stringContaining('nobody approves what they'),
    });
    const grace = await world.person(`grace-${services}`, 'approver');
    const token = await signed(handle, 'promote', {}, grace);
    expect(await send(handle, 'promote', token)).toMatchObject({ accepted: true });
    await handle.result();
  });

  test('is not that of somebody who may not decide what users get', async () => {
    const handle = await asking();
    const vic = await world.person(`vic-${services}`, 'operator');
    const token = await signed(handle, 'promote', {}, vic);
    expect(await send(handle, 'promote', token)).toMatchObject({ accepted: false });
    await handle.executeUpdate(abortUpdate, { args: [{}] });
    await handle.result();
  });

  test('that comes twice at once counts once, and both are told that it counts', async () => {
    const handle = await asking();
    const token = await signed(handle, 'promote');
    const answers = await Promise.all([send(handle, 'promote', token), send(handle, 'promote', token)]);
    expect(answers).toEqual([answers[0], answers[0]]);
    expect(answers[0]).toMatchObject({ accepted: true });
    await handle.result();
  });

  test('that comes with another one at once: one of them counts', async () => {
    const handle = await asking();
    const tokens = [await signed(handle, 'promote'), await signed(handle, 'promote')];
    const answers = await Promise.all(tokens.map((token) => send(handle, 'promote', token)));
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
    await handle.result();
  });
});

describe('where it is held', () => {
  test('a retry measures anew, and what was seen before counts no more', async () => {
    let looks = 0;
    const measureCanary: CanaryActivities['measureCanary'] = (order) => measured(++looks <= 2 ? null : 0.01)(order);
    const handle = await started([{ weight: 0.1 }, { analysis: 'errors' }], { measureCanary });
    const { waitsFor } = await waits(handle);
    expect(await say(handle, 'retry')).toEqual({ accepted: true, what: 'hold 1: it is measured anew' });
    const again = await whenCanary(
      handle,
      (status) => status.waitsFor !== null && status.waitsFor.step !== waitsFor?.step,
    );
    expect(again.waitsFor).toMatchObject({ step: 'hold 2', kind: 'hold' });
    await say(handle, 'retry');
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(looks).toBe(4);
  });

  test('a promotion is signed for the judgement that the person looked at', async () => {
    const judging = { metrics: [], intervalMs: 100, count: 1, delayMs: 0, confidence: 0.98, samples: 10 };
    const analyses = { errors: { measures: [], judging: { ...judging, pass: 95, marginal: 75 } } };
    const judgeCanary: CanaryActivities['judgeCanary'] = async () => ({
      ...{ outcome: 'inconclusive', score: 80, because: 'some of it is worse', metrics: [] },
      evidence: evidenceOf('this very judgement'),
    });
    const handle = await started([{ weight: 0.1 }, { analysis: 'errors' }], { judgeCanary }, { analyses });
    const { waitsFor } = await waits(handle);
    expect(waitsFor?.evidence).toBe(evidenceOf('this very judgement').sha256);
    await say(handle, 'promote');
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('a person answers for a doubt in the background once; a failure after that needs no answer', async () => {
    let value: number | null = null;
    const measureCanary: CanaryActivities['measureCanary'] = (order) => measured(value)(order);
    const plan = {
      background: { analysis: 'errors', fromStep: 0 },
      analyses: { errors: analysisOf({ count: null }) },
    };
    const handle = await started([{ weight: 0.1 }, { pauseMs: HOUR }], { measureCanary }, plan);
    await waits(handle);
    await say(handle, 'promote');
    const before = (await canaryStatus(handle)).measurements.length;
    const later = await whenCanary(handle, ({ measurements }) => measurements.length > before);
    expect(later.waitsFor).toBeNull();
    value = 0.5;
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
  });

  test('a failure in the background ends it while a person is asked', async () => {
    let value = 0.01;
    const measureCanary: CanaryActivities['measureCanary'] = (order) => measured(value)(order);
    const plan = {
      background: { analysis: 'errors', fromStep: 0 },
      analyses: { errors: analysisOf({ count: null }) },
    };
    const handle = await started([{ weight: 0.1 }, { approval: true }], { measureCanary }, plan);
    await waits(handle);
    value = 0.5;
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
    expect((await canaryStatus(handle)).waitsFor).toBeNull();
  });

  test('it waits for the same answer, until the same moment, in the next run of the workflow', async () => {
    const script = { measureCanary: steadyAlone };
    const input = { historyLimit: 40, notify: true };
    const handle = await started([{ weight: 0.1 }, { analysis: 'errors' }], script, heldAndSteady, input);
    const asked = await waits(handle);
    const token = await signed(handle, 'promote');
    const now = world.client.workflow.getHandle(handle.workflowId);
    await eventually(
      () => now.describe(),
      ({ runId }) => runId !== handle.firstExecutionRunId,
    );
    expect((await waits(handle)).waitsFor).toEqual(asked.waitsFor);
    expect(await send(handle, 'promote', token)).toEqual({ accepted: true, what: 'hold 1 goes on' });
    expect(await now.result()).toMatchObject({ outcome: 'promoted' });
    expect(world.told(service)).toHaveLength(1);
  });

  test('a retry counts the requests again', async () => {
    let requests = 10;
    const countCanary = async () => ({ requests });
    const handle = await started([{ weight: 0.1 }], { countCanary }, { floor: 100 });
    await waits(handle);
    requests = 200;
    await say(handle, 'retry');
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('people are told where the plan says so, with what to type', async () => {
    const handle = await started([{ approval: true }], {}, {}, { notify: true });
    await waits(handle);
    await say(handle, 'promote');
    await handle.result();
    expect(world.told(service)).toMatchObject([
      { type: 'canary.asked', command: expect.stringContaining('pawl canary promote si_2026_11_21_001') },
    ]);
    const quiet = await started([{ approval: true }]);
    await waits(quiet);
    await say(quiet, 'promote');
    await quiet.result();
    expect(world.told(service)).toEqual([]);
  });
});

describe('messages that are nothing it knows', () => {
  test('change nothing, and are shown', async () => {
    const handle = await started([{ weight: 0.1 }, { pauseMs: HOUR }]);
    await whenCanary(handle, ({ step }) => step === 'canary 2');
    await handle.signal('no-such-message', { a: 1 });
    await handle.signal(promoteSignal, undefined as never);
    await handle.signal(retrySignal, 17 as never);
    await handle.signal(skipSignal, { token: { deep: true } } as never);
    await handle.signal(skipSignal, { token: 'x'.repeat(20_000) });
    const details = async () =>
      (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
    const shown = await eventually(details, (text) => text.includes('skip:'));
    expect(shown).toContain('a canary knows no such message');
    expect(shown).toContain('promote: nothing waits for a decision now');
    expect(await canaryStatus(handle)).toMatchObject({ step: 'canary 2', weight: 0.1 });
    await say(handle, 'skip');
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('in a flood are turned away, and the canary goes on, in a new run where the history grew long by it', async () => {
    const handle = await started([{ weight: 0.1 }, { approval: true }], {}, {}, { historyLimit: 500 });
    await waits(handle);
    const now = world.client.workflow.getHandle(handle.workflowId);
    await Promise.all(Array.from({ length: 300 }, (_, n) => now.signal(promoteSignal, { token: `made up ${n}` })));
    await eventually(
      () => now.describe(),
      ({ runId }) => runId !== handle.firstExecutionRunId,
    );
    const answer = await eventually(
      () => say(handle, 'promote'),
      ({ accepted }) => accepted,
    );
    expect(answer).toMatchObject({ accepted: true });
    expect(await now.result()).toMatchObject({ outcome: 'promoted' });
  });
});

const trialFor = async (of: string) => {
  await registerService(world.control, of);
  return trialOf(world.control, of);
};
