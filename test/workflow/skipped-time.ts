/**
 * A small world on the server that skips time: it jumps to the next timer whenever a test awaits a result or `sleep`.
 * A guardian looks after its cycles every half minute, which would be a long day; cycles are therefore started without
 * one, and the store itself gives them the lane.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { createControlActivities } from '../../activities/control.ts';
import { createTokenActivities } from '../../activities/tokens.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { signToken } from '../../adapters/keys/token.ts';
import type { ControlActivities } from '../../contracts/control.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { CycleEnd, CycleInput } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { registerSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { testPlan } from '../support/plan.ts';
import type { StartedCycle } from '../support/requests.ts';
import { claimsOf, signer } from '../support/signers.ts';
import { stagesTo } from '../support/stages.ts';
import { workflowBundle } from '../support/temporal.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const CYCLE = 'si_2026_11_21_001';

export interface SkippedTime {
  readonly env: TestWorkflowEnvironment;
  readonly control: ControlStore;
  /** Minutes since the last cycle was started, by the server's clock. */
  minutes(): Promise<number>;
  /** The rows of the ledger that workflows asked for, with the minute of each. */
  readonly noted: ReadonlyArray<{ readonly kind: string; readonly minute: number }>;
  plan: CyclePlan;
  startCycle(
    service: string,
    script?: Partial<StageActivities>,
    plan?: Partial<CyclePlan>,
  ): Promise<StartedCycle['handle']>;
  sign(claims: Pick<TokenClaims, 'action' | 'workflow'> & Partial<TokenClaims>): string;
  end(): Promise<void>;
}

export const skippedTime = async (path: string): Promise<SkippedTime> => {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
    client: { dataConverter },
  });
  await registerSearchAttributes(env.connection, 'default');
  const control = sqliteControl(':memory:');
  const ada = signer();
  let stages = stagesTo('');
  let startedAt = await env.currentTimeMs();
  const minutes = async (): Promise<number> => Math.round(((await env.currentTimeMs()) - startedAt) / 60_000);
  const noted: Array<{ kind: string; minute: number }> = [];

  const controlActivities = createControlActivities({ control });
  const note: ControlActivities['note'] = async ({ entries }) => {
    const minute = await minutes();
    for (const { kind } of entries) noted.push({ kind, minute });
    await controlActivities.note({ entries });
  };
  const askLane: ControlActivities['askLane'] = async ({ service, cycle }) => {
    const actor = { kind: 'person', name: 'ada' };
    const answer = await control.grant({ key: `${service}/lane`, service, cycle, actor, reason: 'the only cycle' });
    if (answer.outcome === 'refused') return { granted: false, wait: false, because: answer.because };
    const { epoch, promotion, champion, arms } = answer.state;
    return { granted: true, token: { epoch, promotion }, champion: champion ?? '', arms };
  };
  const stage = (name: keyof StageActivities) => (input: never) =>
    (stages[name] as (input: never) => Promise<unknown>)(input);

  const world: SkippedTime = {
    env,
    control,
    minutes,
    noted,
    plan: longPlan(),
    sign: (claims) => {
      const now = Date.now();
      const window = { issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 600_000).toISOString() };
      const unbound = { step: null, variant: null, evidence: null, nonce: crypto.randomUUID() };
      return signToken(ada.privateKey, claimsOf(ada, { ...unbound, ...window, ...claims }));
    },
    startCycle: async (service, script = {}, plan = {}) => {
      await registerService(control, service);
      stages = stagesTo(challengerOf(service), script);
      noted.length = 0;
      startedAt = await env.currentTimeMs();
      const input: CycleInput = {
        service,
        cycle: CYCLE,
        request: {
          key: service,
          trigger: 'gate',
          requestedBy: { kind: 'person', name: 'ada' },
          reason: 'for the test',
        },
        plan: longPlan(plan),
        champion: championOf(service),
        epoch: 0,
      };
      const workflowId = cycleWorkflowId(service, CYCLE);
      await env.client.workflow.start('improvementCycle', { workflowId, taskQueue: queues.control, args: [input] });
      return env.client.workflow.getHandle<() => Promise<CycleEnd>>(workflowId);
    },
    end: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await env.teardown();
      control.close();
    },
  };

  const shared = { connection: env.nativeConnection, dataConverter };
  const workers = await Promise.all([
    Worker.create({
      ...shared,
      taskQueue: queues.control,
      workflowBundle: workflowBundle(),
      activities: {
        ...createAdmissionActivities({ client: env.client }),
        ...controlActivities,
        ...createTokenActivities({ control, people: async () => [ada.person], now: Date.now }),
        note,
        askLane,
        readPlan: async () => world.plan,
      },
    }),
    Worker.create({
      ...shared,
      taskQueue: queues.data,
      activities: Object.fromEntries(
        (Object.keys(stages) as Array<keyof StageActivities>).map((name) => [name, stage(name)]),
      ),
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  return world;
};

/** Stages may take a day: while one runs, an activity's own time-out is not what a test of time is about. */
export const longPlan = (changes: Partial<CyclePlan> = {}): CyclePlan => {
  const { stages } = testPlan();
  const patient = Object.entries(stages).map(([name, { heartbeatMs: _, ...rest }]) => [
    name,
    { ...rest, timeoutMs: 86_400_000 },
  ]);
  return testPlan({ stages: Object.fromEntries(patient), ...changes });
};
