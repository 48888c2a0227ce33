import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { PawlError } from '../../../contracts/failures.ts';
import type { GuardianInput } from '../../../contracts/guardian.ts';
import { guardianId } from '../../../contracts/ids.ts';
import {
  goldUpdate,
  guardianStatusQuery,
  killSignal,
  pauseSignal,
  pauseUpdate,
  rearmUpdate,
  resumeUpdate,
} from '../../../contracts/messages.ts';
import { queues } from '../../../contracts/queues.ts';
import type { StageActivities } from '../../../contracts/stages.ts';
import { askForFix, brokenOn, fixesTo, fixRequest, fixSettings, promoteTo, startFix } from '../../support/fixes.ts';
import { testPlan } from '../../support/plan.ts';
import { door, eventually, guardianOf, runCycle, startCycle, triggerCycle } from '../../support/requests.ts';
import { stagesTo } from '../../support/stages.ts';
import { challengerOf, championOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { quiet, quietGuardian, setScene, type Walk } from './walk.ts';

const statusOf = (world: World, service: string) => guardianOf(world, service).query(guardianStatusQuery);
const allReported = (world: World, service: string) =>
  eventually(
    () => statusOf(world, service),
    ({ running }) => running.length === 0,
  );

const startGuardian = (world: World, input: GuardianInput) =>
  world.client.workflow.start('guardian', {
    workflowId: guardianId(input.service),
    taskQueue: queues.control,
    args: [input],
  });

const signed = (world: World, service: string, action: 'resume' | 'rearm') => ({
  token: world.sign({ action, workflow: guardianId(service) }),
});

/** Cycles that stand in training until they are let go, or stopped. */
const heldInTraining = (world: World, service: string, limits = testPlan().limits) => {
  const held = door();
  const train: StageActivities['train'] = async (input) => {
    await Promise.race([held.opened, Context.current().cancelled]);
    return stagesTo(challengerOf(service)).train(input);
  };
  setScene(world, service, { train }, { limits });
  return held;
};

/** The runs of a workflow that has continued as new, first run first. */
const runsOf = async (
  world: World,
  { workflowId, firstExecutionRunId }: { workflowId: string; firstExecutionRunId: string },
) => {
  const runs: WorkflowHandle[] = [];
  let runId: string | null | undefined = firstExecutionRunId;
  while (runId) {
    const run: WorkflowHandle = world.client.workflow.getHandle(workflowId, runId);
    runs.push(run);
    const { events } = await run.fetchHistory();
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return runs;
};

export const guardianWalks: Record<PathOf<'guardian'>, Walk> = {
  'admission-and-report': async (world, service) => {
    await runCycle(world, service);
    await allReported(world, service);
    return quietGuardian(world, service);
  },

  refusals: async (world, service) => {
    const held = heldInTraining(world, service, { cyclesPerDay: 2, cooldownMs: 3_600_000, running: 1 });
    const { handle } = await startCycle(world, service);
    await triggerCycle(world, service, 'schedule'); // one runs already
    held.open();
    await handle.result();
    await allReported(world, service);
    await triggerCycle(world, service, 'schedule'); // it cools down
    return quietGuardian(world, service);
  },

  'paused-and-resumed': async (world, service) => {
    const guardian = await startGuardian(world, { service });
    await guardian.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] });
    await triggerCycle(world, service, 'schedule');
    await guardian.executeUpdate(resumeUpdate, { args: [{ token: 'made up' }] });
    await guardian.executeUpdate(resumeUpdate, { args: [signed(world, service, 'resume')] });
    await runCycle(world, service);
    await allReported(world, service);
    return quietGuardian(world, service);
  },

  'killed-and-rearmed': async (world, service) => {
    heldInTraining(world, service);
    const { handle } = await startCycle(world, service);
    await guardianOf(world, service).signal(killSignal, { by: 'ada', reason: 'it smells' });
    await handle.result();
    await allReported(world, service);
    await triggerCycle(world, service, 'schedule'); // refused: killed
    await guardianOf(world, service).executeUpdate(rearmUpdate, { args: [signed(world, service, 'rearm')] });
    return quietGuardian(world, service);
  },

  /** A kill that came while the store was being read, of which the answer is older. */
  'killed-while-reading': async (world, service) => {
    const { control } = world;
    const guardian = await startGuardian(world, { service });
    const read = door();
    const { state } = control;
    const asked = door();
    control.state = async (of) => {
      control.state = state;
      const before = await state(of);
      asked.open();
      await read.opened;
      return before;
    };
    const admission = triggerCycle(world, service);
    await asked.opened;
    await guardian.signal(killSignal, { by: 'ada', reason: 'it smells' });
    await eventually(
      () => world.control.state(service),
      (now) => now?.latch === 'killed',
    );
    read.open();
    await admission; // refused
    return quietGuardian(world, service);
  },

  gold: async (world, service) => {
    const guardian = await startGuardian(world, { service });
    const variant = challengerOf(service);
    const set = (token: string) => guardian.executeUpdate(goldUpdate, { args: [{ variant, token }] });
    await set(world.sign({ action: 'gold', workflow: guardian.workflowId, variant: championOf(service) }));
    await set(world.sign({ action: 'gold', workflow: guardian.workflowId, variant }));
    return quietGuardian(world, service);
  },

  'continued-as-new': async (world, service) => {
    const held = heldInTraining(world, service);
    const guardian = await startGuardian(world, { service, historyLimit: 50 });
    const { handle } = await startCycle(world, service);
    for (let n = 1; n <= 8; n++)
      await guardianOf(world, service).executeUpdate(pauseUpdate, { args: [{ by: `${n}` }] });
    await guardianOf(world, service).executeUpdate(resumeUpdate, { args: [signed(world, service, 'resume')] });
    held.open();
    await handle.result();
    await allReported(world, service);
    await quiet(guardianOf(world, service));
    return runsOf(world, guardian);
  },

  'lane-queue': async (world, service) => {
    const watched = door();
    const watch: StageActivities['watch'] = async (input) =>
      watched.opened.then(() => stagesTo(challengerOf(service)).watch(input));
    setScene(world, service, { watch });
    const started = [];
    for (const place of [0, 1, 2]) {
      const next = await startCycle(world, service);
      started.push(next);
      await eventually(
        () => statusOf(world, service),
        ({ lane }) => (lane.holder ? [lane.holder, ...lane.waiting] : [])[place] === next.cycle,
      );
    }
    watched.open();
    for (const { handle } of started) await handle.result();
    await allReported(world, service);
    return quietGuardian(world, service);
  },

  'terminated-cycle': async (world, service) => {
    const watch: StageActivities['watch'] = async (input) =>
      Context.current().cancelled.then(() => stagesTo(challengerOf(service)).watch(input));
    setScene(world, service, { watch });
    await startGuardian(world, { service, lookAfterMs: 1_000 });
    const { handle } = await startCycle(world, service);
    await eventually(
      () => world.control.state(service),
      (state) => state?.arms.length === 2,
    );
    await handle.terminate('by a person');
    await allReported(world, service);
    return quietGuardian(world, service);
  },

  'starts-decided': async (world, service) => {
    setScene(world, service, {}, { environment: 'production', limits: { ...testPlan().limits, cyclesPerDay: 1 } });
    const token = world.sign({ action: 'start', workflow: guardianId(service) });
    await triggerCycle(world, service, 'hand'); // nobody signed it
    await triggerCycle(world, service, 'hand', 'made up');
    const admission = await triggerCycle(world, service, 'hand', token);
    if (admission.admitted) await world.client.workflow.getHandle(admission.workflowId).result();
    await allReported(world, service);
    await triggerCycle(world, service, 'gate'); // the cycles of the day are used up
    return quietGuardian(world, service);
  },

  fixed: async (world, service) => {
    await promoteTo(world.control, service, challengerOf(service));
    world.fixes = fixesTo(world.control, { lookForBreach: brokenOn(challengerOf(service)) });
    const { handle } = await startFix(world, service);
    await handle.result();
    await allReported(world, service);
    const undo = { requestedBy: { kind: 'person', name: 'ada' }, only: 'previous', findings: [] } as const;
    await (await startFix(world, service, undo)).handle.result();
    await allReported(world, service);
    return quietGuardian(world, service);
  },

  'fixes-refused': async (world, service) => {
    const held = door();
    const { readFixFacts } = fixesTo(world.control);
    const readFixSettings = async () => fixSettings({ perHour: 1 });
    world.fixes = fixesTo(world.control, {
      readFixSettings,
      readFixFacts: async (order) => held.opened.then(() => readFixFacts(order)),
    });
    const { handle } = await startFix(world, service);
    await askForFix(world, service, fixRequest()); // one is at it
    await askForFix(world, service, fixRequest({ champion: challengerOf(service) })); // another serves
    held.open();
    await handle.result();
    await allReported(world, service);
    await askForFix(world, service, fixRequest()); // too many: people are asked
    await askForFix(world, service, fixRequest());
    world.fixes = fixesTo(world.control, {
      readFixSettings: async () => {
        throw new PawlError('ConfigInvalid', 'pawl.yaml cannot be read');
      },
    });
    await askForFix(world, service, fixRequest());
    const token = world.sign({ action: 'start', workflow: guardianId('another') });
    await askForFix(world, service, fixRequest({ requestedBy: { kind: 'person', name: 'ada' }, only: 'gold', token }));
    return quietGuardian(world, service);
  },

  'fix-terminated': async (world, service) => {
    const { readFixFacts } = fixesTo(world.control);
    const held = door();
    world.fixes = fixesTo(world.control, {
      readFixFacts: async (order) => held.opened.then(() => readFixFacts(order)),
    });
    await startGuardian(world, { service, lookAfterMs: 1_000 });
    const { handle } = await startFix(world, service);
    await handle.terminate('by a person');
    await allReported(world, service);
    held.open();
    return quietGuardian(world, service);
  },

  'malformed-messages': async (world, service) => {
    const guardian = await startGuardian(world, { service });
    await guardian.signal('no-such-message', { a: 1 });
    await guardian.signal('report', 17);
    await guardian.signal('report', { cycle: 'si_2026_01_01_001', end: null });
    await guardian.signal('resume');
    await guardian.signal(pauseSignal, 'a bare word' as never);
    await guardian.executeUpdate('gold', { args: [17] });
    await guardian.executeUpdate('lane', { args: [{ cycle: 17 }] });
    await guardian.executeUpdate('lane');
    await world.client.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: guardian.workflowId },
      signalName: 'kill',
      input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{ not json') }] },
    });
    await eventually(
      () => world.control.state(service),
      (state) => state?.latch === 'killed',
    );
    return quietGuardian(world, service);
  },
};
