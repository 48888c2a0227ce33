import { ApplicationFailure, Context } from '@temporalio/activity';
import {
  abortUpdate,
  approveUpdate,
  guardianStatusQuery,
  killSignal,
  pauseUpdate,
  rejectSignal,
  resumeUpdate,
  skipUpdate,
} from '../../../contracts/messages.ts';
import type { ApprovalPlan, CyclePlan } from '../../../contracts/plan.ts';
import type { StageActivities } from '../../../contracts/stages.ts';
import { testPlan } from '../../support/plan.ts';
import { door, eventually, guardianOf, type StartedCycle, startCycle, statusOf } from '../../support/requests.ts';
import { evidenceOf, stagesTo } from '../../support/stages.ts';
import { challengerOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { setScene, type Walk } from './walk.ts';

const standard = stagesTo('0'.repeat(64));
type Handle = StartedCycle['handle'];

/** A cycle that needs nobody, by a script for its stages. */
const through =
  (script: Partial<StageActivities> = {}, plan: Partial<CyclePlan> = {}): Walk =>
  async (world, service) => {
    setScene(world, service, script, plan);
    const { handle } = await startCycle(world, service);
    await handle.result();
    return [handle];
  };

/** A cycle that stands in training, where something happens to it. */
const inTraining =
  (happens: (handle: Handle) => Promise<unknown>): Walk =>
  async (world, service) => {
    const reached = door();
    const train = async () => {
      reached.open();
      return Context.current().cancelled;
    };
    setScene(world, service, { train });
    const { handle } = await startCycle(world, service);
    await reached.opened;
    await happens(handle);
    await handle.result();
    return [handle];
  };

/** A cycle that asks people. */
const asking =
  (
    approval: number | ApprovalPlan,
    answer: (world: World, handle: Handle, service: string) => Promise<unknown>,
    notify = false,
  ): Walk =>
  async (world, service) => {
    setScene(
      world,
      service,
      {},
      {
        approval: typeof approval === 'number' ? { expiresMs: approval } : approval,
        ...(notify && { notify }),
      },
    );
    const { handle } = await startCycle(world, service);
    await answer(world, handle, service);
    await handle.result();
    return [handle];
  };

const approve = async (handle: Handle, sign: World['sign']) => {
  const { step, variant, evidence } = await approvalOf(handle);
  const token = sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence });
  await handle.executeUpdate(approveUpdate, { args: [{ token }] });
};

const approvalOf = async (handle: Handle) => {
  const asked = async () => (await statusOf(handle)).approval;
  const approval = await eventually(asked, (waiting) => waiting !== null);
  if (!approval) throw new Error('it asks nobody');
  return approval;
};

/** Two cycles of one service, of which the second waits for the lane while the first is watched. */
const secondInLane =
  (first: 'healthy' | 'degraded'): Walk =>
  async (world, service) => {
    const watched = door();
    const { watch } = standard;
    const seen: string[] = [];
    const script: Partial<StageActivities> = {
      watch: async (input) => {
        if (!seen.includes(input.cycle)) seen.push(input.cycle);
        if (seen[0] !== input.cycle) return watch(input);
        await watched.opened;
        return { ...(await watch(input)), state: first, reasons: [`it was ${first}`] };
      },
    };
    setScene(world, service, script);
    const lane = () => guardianOf(world, service).query(guardianStatusQuery);
    const ahead = await startCycle(world, service);
    await eventually(lane, (now) => now.lane.holder === ahead.cycle);
    const { handle, cycle } = await startCycle(world, service);
    await eventually(lane, (now) => now.lane.waiting.includes(cycle));
    watched.open();
    await handle.result();
    return [handle];
  };

const watching =
  (state: 'degraded' | 'no data'): StageActivities['watch'] =>
  async () => ({ summary: state, evidence: evidenceOf(state), state, reasons: [`it was ${state}`] });

const ownStage = { runs: 'workflow', name: 'trigger', taskQueue: 'pawl-control', timeoutMs: 30_000 } as const;

export const cycleWalks: Record<PathOf<'improvementCycle'>, Walk> = {
  promoted: through({}, { promises: { diagnose: 900_000, evaluate: 3_600_000 } }),
  kept: through({ findBreach: async ({ key }) => ({ summary: 'fine', evidence: evidenceOf(key), findings: [] }) }),
  'rejected-by-evaluation': through({
    evaluate: async (input) => ({ ...(await standard.evaluate(input)), verdict: 'not better', reasons: ['as good'] }),
  }),
  'nothing-to-try': through({ train: async (input) => ({ ...(await standard.train(input)), challenger: null }) }),
  observe: through({}, { mode: 'observe' }),
  advise: through({}, { mode: 'advise' }),

  'approved-by-token': asking(600_000, (world, handle) => approve(handle, world.sign)),
  'rejected-by-person': asking(600_000, async (_, handle) => {
    await approvalOf(handle);
    await handle.signal(rejectSignal, { by: 'ada', reason: 'not on a Friday' });
  }),
  'approval-expired': asking(1_000, async () => undefined),
  'approved-by-two': asking({ expiresMs: 600_000, quorum: 2 }, async (world, handle, service) => {
    await approve(handle, world.sign);
    await approve(handle, await world.person(`second-of-${service}`, 'approver'));
  }),
  'reminded-and-escalated': asking(
    { expiresMs: 600_000, remindMs: 1_000, roles: ['approver'], escalate: { afterMs: 2_500, roles: ['admin'] } },
    async (world, handle, service) => {
      await eventually(
        async () => world.told(service),
        (told) => told.some(({ type }) => type === 'approval.escalated'),
      );
      await approve(handle, world.sign);
    },
    true,
  ),
  'expired-with-notices': asking({ expiresMs: 1_500, remindMs: 1_000 }, async () => undefined, true),
  'notice-failed': async (world, service) => {
    world.notify = async () => {
      throw ApplicationFailure.nonRetryable('nobody listens', 'Refused');
    };
    try {
      return await asking(600_000, (_, handle) => approve(handle, world.sign), true)(world, service);
    } finally {
      world.notify = async () => undefined;
    }
  },

  aborted: inTraining((handle) => handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'wrong data' }] })),
  killed: inTraining((handle) => handle.signal(killSignal, { by: 'ada', reason: 'it smells' })),
  cancelled: inTraining((handle) => handle.cancel()),

  'rolled-back-degraded': through({ watch: watching('degraded') }),
  'rolled-back-no-data': through({ watch: watching('no data') }),
  'failed-stage': through({
    train: async () => {
      throw ApplicationFailure.nonRetryable('the corpus is another one', 'DigestMismatch');
    },
  }),
  'retried-stage': through({
    diagnose: async (input) => {
      if (Context.current().info.attempt === 1) throw new Error('not now');
      return standard.diagnose(input);
    },
  }),
  // Any workflow type can be a stage; this one is refused a second cycle, and the lesson is not what the end hangs on.
  'stage-as-child': through(
    {},
    { stages: { ...testPlan().stages, learn: ownStage }, limits: { ...testPlan().limits, running: 1 } },
  ),

  'promise-broken': async (world, service) => {
    const held = door();
    const train: StageActivities['train'] = async (input) =>
      held.opened.then(() => stagesTo(challengerOf(service)).train(input));
    setScene(world, service, { train }, { promises: { diagnose: 60_000, train: 1_000 } });
    const { handle } = await startCycle(world, service);
    const rows = () => world.control.ledger({ service });
    await eventually(rows, (noted) => noted.some(({ kind }) => kind === 'promise broken'));
    held.open();
    await handle.result();
    return [handle];
  },

  'paused-and-resumed': async (world, service) => {
    const [reached, held] = [door(), door()];
    const diagnose: StageActivities['diagnose'] = async (input) => {
      reached.open();
      await held.opened;
      return standard.diagnose(input);
    };
    setScene(world, service, { diagnose });
    const { handle } = await startCycle(world, service);
    await reached.opened;
    await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] });
    held.open();
    await eventually(
      () => statusOf(handle),
      ({ stages }) => stages.at(-1)?.state === 'done',
    );
    const token = world.sign({ action: 'resume', workflow: handle.workflowId });
    await handle.executeUpdate(resumeUpdate, { args: [{ token }] });
    await handle.result();
    return [handle];
  },

  'watch-skipped': async (world, service) => {
    setScene(world, service, {}, { watch: { ...testPlan().watch, forMs: 600_000 } });
    const { handle } = await startCycle(world, service);
    await eventually(
      () => statusOf(handle),
      ({ stage }) => stage === 'watch',
    );
    const token = world.sign({ action: 'skip', workflow: handle.workflowId, step: 'watch' });
    await handle.executeUpdate(skipUpdate, { args: [{ token }] });
    await handle.result();
    return [handle];
  },

  'lane-waited-for': secondInLane('degraded'),
  /** While it is watched somebody says in the configuration that no traffic moves any more. */
  'promotion-refused': async (world, service) => {
    const watch: StageActivities['watch'] = async (input) => {
      world.plan = testPlan({ mode: 'advise' });
      return standard.watch(input);
    };
    return through({ watch })(world, service);
  },

  'champion-changed': secondInLane('healthy'),

  sealed: through({}, { mode: 'advise' }),
  /** The evidence cannot be sealed, which is not what the end hangs on. */
  unsealed: async (world, service) => {
    const { sealEvidence } = world;
    world.sealEvidence = async (order) => {
      if (order.service !== service) return sealEvidence(order);
      throw ApplicationFailure.nonRetryable('the folder holds other evidence', 'Refused');
    };
    return through({}, { mode: 'observe' })(world, service);
  },
};
