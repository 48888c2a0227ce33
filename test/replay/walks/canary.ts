import type { CanaryActivities, CanaryPlan, CanaryStep } from '../../../contracts/canary.ts';
import { type CanaryInput, promoteUpdate, retryUpdate } from '../../../contracts/canary-messages.ts';
import { abortUpdate, killSignal, pauseUpdate, resumeUpdate, skipUpdate } from '../../../contracts/messages.ts';
import {
  analysisOf,
  type CanaryHandle,
  canaryPlan,
  canaryStatus,
  canaryTo,
  errorsBelow,
  heldAndSteady,
  judgingLatency,
  measured,
  startCanary,
  steadyAlone,
  whenCanary,
} from '../../support/canary.ts';
import { eventually } from '../../support/requests.ts';
import { challengerOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { chain, type Walk } from './walk.ts';

interface Scene {
  readonly script?: Partial<CanaryActivities>;
  readonly plan?: Partial<CanaryPlan>;
  readonly input?: Partial<CanaryInput>;
  readonly say?: (handle: CanaryHandle, world: World, service: string) => Promise<unknown>;
}
const HOUR = 3_600_000;
const WATCHED = [{ weight: 0.1 }, { analysis: 'errors' }] as const;
const PAUSED = [{ weight: 0.1 }, { pauseMs: HOUR }] as const;

const walked =
  (steps: readonly CanaryStep[], { script = {}, plan = {}, input = {}, say }: Scene = {}): Walk =>
  async (world, service) => {
    world.canary = canaryTo(world.control, script);
    const handle = await startCanary(world, service, canaryPlan(steps, plan), input);
    await say?.(handle, world, service);
    await handle.result();
    return chain(world, handle);
  };

const inStep = (handle: CanaryHandle, name: string) => whenCanary(handle, ({ step }) => step === name);
const answer = async (handle: CanaryHandle, { sign }: World, action: 'promote' | 'retry') => {
  const { waitsFor } = await whenCanary(handle, ({ waitsFor: asked }) => asked !== null);
  if (!waitsFor) throw new Error('unreachable');
  const { step, variant, evidence } = waitsFor;
  const token = sign({ action, workflow: handle.workflowId, step, variant, evidence });
  await handle.executeUpdate(action === 'promote' ? promoteUpdate : retryUpdate, { args: [{ token }] });
};
const skip = async (handle: CanaryHandle, { sign }: World) => {
  const { step } = await canaryStatus(handle);
  const token = sign({ action: 'skip', workflow: handle.workflowId, step });
  await handle.executeUpdate(skipUpdate, { args: [{ token }] });
};
const first = (value: number | null): CanaryActivities['measureCanary'] => {
  let looks = 0;
  return (order) => measured(looks++ === 0 ? value : 0.01)(order);
};
const errorsForEver = {
  background: { analysis: 'errors', fromStep: 0 },
  analyses: { errors: analysisOf({ count: null, intervalMs: 300 }) },
};
const person = { by: 'ada', reason: 'it smells' };

export const canaryWalks: Record<PathOf<'canaryPromotion'>, Walk> = {
  promoted: walked([...WATCHED, { weight: 0.5 }, { pauseMs: 500 }]),
  'rolled-back': walked(WATCHED, { script: { measureCanary: measured(0.5) } }),
  'not-measured': walked(WATCHED, {
    script: { measureCanary: () => Promise.reject(new Error('the log is gone')) },
  }),
  judged: walked(WATCHED, { plan: { analyses: { errors: { measures: [errorsBelow()], judging: judgingLatency } } } }),
  'background-passed': walked([{ weight: 0.1 }, { pauseMs: 1_000 }], { plan: errorsForEver }),
  'background-failed': walked(PAUSED, { plan: errorsForEver, script: { measureCanary: measured(0.5) } }),
  'background-held-and-promoted': walked([{ weight: 0.1 }, { pauseMs: 1_500 }], {
    plan: errorsForEver,
    script: { measureCanary: first(null) },
    say: (handle, world) => answer(handle, world, 'promote'),
  }),
  'held-and-promoted': walked(WATCHED, {
    script: { measureCanary: first(null) },
    input: { notify: true },
    say: (handle, world) => answer(handle, world, 'promote'),
  }),
  'held-and-retried': walked(WATCHED, {
    script: { measureCanary: first(null) },
    say: (handle, world) => answer(handle, world, 'retry'),
  }),
  'held-and-expired': walked(WATCHED, { script: { measureCanary: measured(null) }, plan: { holdMs: 1_000 } }),
  'held-by-floor': walked([{ weight: 0.1 }], {
    plan: { floor: 100_000 },
    say: (handle, world) => answer(handle, world, 'promote'),
  }),
  'held-by-doubt': walked([{ weight: 0.1 }], {
    plan: { floor: 100, mustNotice: { errors: 0.05 } },
    script: { doubtCanary: async () => ({ doubts: ['errors +5 points is not ruled out'] }) },
    say: (handle, world) => answer(handle, world, 'promote'),
  }),
  approved: walked([{ weight: 0.1 }, { approval: true }], {
    say: (handle, world) => answer(handle, world, 'promote'),
  }),
  'fresh-baseline': walked([{ weight: 0.1 }, { baseline: true }, { analysis: 'errors' }]),
  mirrored: walked([{ mirror: 0.2 }, { analysis: 'errors' }]),
  'recent-champion': async (world, service) => {
    const past = { variant: challengerOf(service), at: '2026-01-01T00:00:00.000Z', cycle: null };
    return walked(WATCHED, { script: { pastChampions: async () => [past] }, plan: { rollbackWindow: 2 } })(
      world,
      service,
    );
  },
  hooks: walked(WATCHED, {
    plan: {
      hooks: (['before', 'step', 'after'] as const).map((at) => ({
        ...{ name: at, at, runs: { url: 'https://hooks.example.com' }, timeoutMs: 5_000, decides: false },
      })),
    },
    script: { callHook: async ({ hook }) => ({ ok: hook.at !== 'step', because: 'not on a Friday' }) },
  }),
  'slow-router': async (world, service) => {
    let reads = 0;
    const readRoute: CanaryActivities['readRoute'] = async (order) =>
      ++reads % 2 === 1 ? null : canaryTo(world.control).readRoute(order);
    return walked([{ weight: 0.1 }], { script: { readRoute } })(world, service);
  },
  'paused-and-skipped': walked(PAUSED, {
    say: async (handle, world) => {
      await inStep(handle, 'canary 2');
      await handle.executeUpdate(pauseUpdate, { args: [person] });
      await handle.executeUpdate(resumeUpdate, { args: [{ token: 'made up' }] });
      await skip(handle, world);
      await whenCanary(handle, ({ step }) => step === null);
      const token = world.sign({ action: 'resume', workflow: handle.workflowId });
      await handle.executeUpdate(resumeUpdate, { args: [{ token }] });
    },
  }),
  'aborted-in-pause': walked(PAUSED, {
    say: async (handle) => {
      await inStep(handle, 'canary 2');
      await handle.executeUpdate(abortUpdate, { args: [person] });
    },
  }),
  'killed-in-pause': walked(PAUSED, {
    say: async (handle) => {
      await inStep(handle, 'canary 2');
      await handle.signal(killSignal, person);
    },
  }),
  cancelled: walked(PAUSED, {
    say: async (handle) => {
      await inStep(handle, 'canary 2');
      await handle.cancel();
    },
  }),
  refused: walked(PAUSED, {
    say: async (handle, world, service) => {
      await inStep(handle, 'canary 2');
      const actor = { kind: 'person', name: 'ada' };
      await world.control.kill({ key: `${service}/kill`, service, actor, reason: 'it smells' });
      await skip(handle, world);
    },
  }),
  'continued-as-new': walked([{ weight: 0.1 }, { analysis: 'errors' }, { pauseMs: 500 }], {
    plan: { analyses: { errors: analysisOf({ count: 6 }) } },
    input: { historyLimit: 40 },
  }),
  'continued-as-new-while-held': walked(WATCHED, {
    plan: heldAndSteady,
    script: { measureCanary: steadyAlone },
    input: { historyLimit: 40 },
    say: async (handle, world) => {
      await whenCanary(handle, ({ waitsFor }) => waitsFor !== null);
      await eventually(
        () => world.client.workflow.getHandle(handle.workflowId).describe(),
        ({ runId }) => runId !== handle.firstExecutionRunId,
      );
      await answer(handle, world, 'promote');
    },
  }),
};
