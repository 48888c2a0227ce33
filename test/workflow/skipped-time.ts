/**
 * A small world on the server that skips time: it jumps to the next timer whenever a test awaits a result or `sleep`.
 * A guardian looks after its cycles every half minute, which would be a long day; cycles are therefore started without
 * one, and the store itself gives them the lane.
 */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { createControlActivities } from '../../activities/control.ts';
import { createStartActivities } from '../../activities/start.ts';
import { createTokenActivities } from '../../activities/tokens.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { signToken, verifyToken } from '../../adapters/keys/token.ts';
import type { AbActivities } from '../../contracts/ab.ts';
import type { CanaryActivities } from '../../contracts/canary.ts';
import type { ControlActivities } from '../../contracts/control.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { CycleEnd, CycleInput } from '../../contracts/messages.ts';
import type { NoticeType } from '../../contracts/notice.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { registerSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { abTo } from '../support/ab.ts';
import { canaryTo } from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import type { StartedCycle } from '../support/requests.ts';
import { claimsOf, signer } from '../support/signers.ts';
import { sealing, stagesTo } from '../support/stages.ts';
import { workflowBundle } from '../support/temporal.ts';
import { timeSkippingEnvironment } from '../support/time-skipping.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const CYCLE = 'si_2026_11_21_001';

export interface SkippedTime {
  readonly env: TestWorkflowEnvironment;
  readonly control: ControlStore;
  /** Minutes since the last cycle was started, by the server's clock. */
  minutes(): Promise<number>;
  /** The rows of the ledger that workflows asked for, with the minute of each. */
  readonly noted: ReadonlyArray<{ readonly kind: string; readonly minute: number }>;
  /** What people were told, with the minute of each. */
  readonly told: ReadonlyArray<{
    readonly type: NoticeType;
    readonly minute: number;
    readonly roles?: readonly string[];
  }>;
  /** Who the policy was told may decide, for each token that was checked. */
  readonly deciders: ReadonlyArray<readonly string[] | null>;
  /** Whether telling them works. */
  tellable: boolean;
  /** Whether the policy is asked about tokens, or their signature is enough. */
  policed: boolean;
  plan: CyclePlan;
  /** What the activities of an A/B evaluation do. */
  ab: AbActivities;
  /** What is measured of a canary, or by a watch. */
  canary: CanaryActivities;
  startCycle(
    service: string,
    script?: Partial<StageActivities>,
    plan?: Partial<CyclePlan>,
  ): Promise<StartedCycle['handle']>;
  /** By ada, who asks for every cycle, unless it is said otherwise. */
  sign(claims: Pick<TokenClaims, 'action' | 'workflow'> & Partial<TokenClaims>, by?: 'ada' | 'grace' | 'joan'): string;
  end(): Promise<void>;
}

export const skippedTime = async (path: string): Promise<SkippedTime> => {
  const env = await timeSkippingEnvironment(path, { client: { dataConverter } });
  await registerSearchAttributes(env.connection, 'default');
  const control = sqliteControl(':memory:');
  const people = [signer(), signer('grace', 'approver'), signer('joan', 'admin')] as const;
  let stages = stagesTo('');
  let startedAt = await env.currentTimeMs();
  const minutes = async (): Promise<number> => Math.round(((await env.currentTimeMs()) - startedAt) / 60_000);
  const noted: Array<{ kind: string; minute: number }> = [];
  const told: Array<{ type: NoticeType; minute: number; roles?: readonly string[] }> = [];
  const deciders: Array<readonly string[] | null> = [];

  let plan = longPlan();
  const deps = {
    control,
    people: async () => people.map(({ person }) => person),
    policy: shippedPolicy,
    services: servicesOf(() => plan),
    now: Date.now,
  };
  const controlActivities = createControlActivities(deps);
  const note: ControlActivities['note'] = async ({ entries }) => {
    const minute = await minutes();
    for (const { kind } of entries) noted.push({ kind, minute });
    return controlActivities.note({ entries });
  };
  const notify: ControlActivities['notify'] = async ({ type, roles }) => {
    told.push({ type, minute: await minutes(), ...(roles && { roles }) });
    if (!world.tellable) throw new Error('nobody listens');
  };
  const tokens = createTokenActivities(deps);
  const checkToken: ControlActivities['verifyToken'] = async (use) => {
    deciders.push(use.about?.roles ?? null);
    if (world.policed) return tokens.verifyToken(use);
    const signed = people.map(({ person }) => person);
    return verifyToken(use.token, signed, Date.now());
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

  const ab = (name: keyof AbActivities) => (input: never) =>
    (world.ab[name] as (input: never) => Promise<unknown>)(input);

  const canary = (name: keyof CanaryActivities) => (order: never) =>
    (world.canary[name] as (order: never) => Promise<unknown>)(order);

  const world: SkippedTime = {
    env,
    control,
    minutes,
    noted,
    told,
    deciders,
    tellable: true,
    policed: true,
    plan: longPlan(),
    ab: abTo(),
    canary: canaryTo(control),
    sign: (claims, by = 'ada') => {
      const [founder, ...others] = people;
      const signs = others.find(({ person }) => person.name === by) ?? founder;
      const now = Date.now();
      const window = { issuedAt: new Date(now).toISOString(), expiresAt: new Date(now + 600_000).toISOString() };
      const unbound = { step: null, variant: null, evidence: null, nonce: crypto.randomUUID() };
      return signToken(signs.privateKey, claimsOf(signs, { ...unbound, ...window, ...claims }));
    },
    startCycle: async (service, script = {}, changes = {}) => {
      await registerService(control, service);
      stages = stagesTo(challengerOf(service), script);
      noted.length = 0;
      told.length = 0;
      deciders.length = 0;
      world.tellable = true;
      world.policed = true;
      startedAt = await env.currentTimeMs();
      plan = longPlan(changes);
      const input: CycleInput = {
        service,
        cycle: CYCLE,
        request: {
          key: service,
          trigger: 'gate',
          requestedBy: { kind: 'person', name: 'ada' },
          reason: 'for the test',
        },
        plan,
        champion: championOf(service),
        epoch: 0,
      };
      const workflowId = cycleWorkflowId(service, CYCLE);
      const { requestedBy: actor, reason } = input.request;
      const body = { approval: plan.approval };
      await control.note({
        key: `${workflowId}/admitted`,
        service,
        cycle: CYCLE,
        kind: 'cycle admitted',
        actor,
        reason,
        body,
      });
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
        ...createAdmissionActivities({ client: env.client, control }),
        ...controlActivities,
        ...createStartActivities(deps),
        note,
        notify,
        verifyToken: checkToken,
        askLane,
        readPlan: async () => world.plan,
      },
    }),
    Worker.create({
      ...shared,
      taskQueue: queues.data,
      activities: {
        ...sealing,
        ...Object.fromEntries(
          (Object.keys(world.canary) as Array<keyof CanaryActivities>).map((name) => [name, canary(name)]),
        ),
        ...Object.fromEntries((Object.keys(world.ab) as Array<keyof AbActivities>).map((name) => [name, ab(name)])),
        ...Object.fromEntries((Object.keys(stages) as Array<keyof StageActivities>).map((name) => [name, stage(name)])),
      },
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
