/** A canary whose activities a test brings itself: by default everything that is measured is good. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { ControlStore } from '../../adapters/control/port.ts';
import type {
  Analysis,
  CanaryActivities,
  CanaryPlan,
  CanaryStep,
  Judging,
  Measure,
  MeasuredValue,
  Measurement,
} from '../../contracts/canary.ts';
import {
  type CanaryEnd,
  type CanaryInput,
  type CanaryStatus,
  canaryStatusQuery,
} from '../../contracts/canary-messages.ts';
import { canaryWorkflowId } from '../../contracts/ids.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import type { Trial } from '../../contracts/trial.ts';
import { eventually } from './requests.ts';
import { evidenceOf } from './stages.ts';
import { challengerOf, championOf, type World } from './world.ts';

export const CANARY_CYCLE = 'si_2026_11_21_001';

/** Errors of the challenger, which are to stay below a tenth; looked at often, as a test has no time. */
export const errorsBelow = (changes: Partial<Measure> = {}): Measure => ({
  ...{ name: 'errors', metric: 'errors', intervalMs: 100, count: 2, delayMs: 0, windowMs: 60_000, samples: 10 },
  ...{ success: 'result.value < 0.1', failure: 'result.value >= 0.3', failureLimit: 0, inconclusiveLimit: 0 },
  ...{ errorLimit: 0, successes: null, missing: 'inconclusive', dryRun: false },
  ...changes,
});
export const judgingLatency: Judging = {
  metrics: [
    {
      ...{ metric: 'latency', worse: 'higher', weight: 1, critical: false, mustHave: false, muted: false },
      ...{ tolerance: 0.05, outliers: null },
    },
  ],
  ...{ intervalMs: 100, count: 1, delayMs: 0, confidence: 0.98, samples: 10, pass: 95, marginal: 75 },
};
export const analysisOf = (changes: Partial<Measure> = {}, judging: Judging | null = null): Analysis => ({
  measures: [errorsBelow(changes)],
  judging,
});

export const canaryPlan = (steps: readonly CanaryStep[], changes: Partial<CanaryPlan> = {}): CanaryPlan => ({
  steps,
  analyses: { errors: analysisOf() },
  background: null,
  holdMs: 3_600_000,
  floor: 0,
  rollbackWindow: 0,
  hooks: [],
  watch: null,
  ...changes,
});

const readingOf = (value: number | null): MeasuredValue => ({ value, low: value, high: value, n: 100 });
/** Errors of the challenger; the champion has none, unless it is said. */
export const measured =
  (result: number | null, baseline: number | null = 0): CanaryActivities['measureCanary'] =>
  async ({ measures, at = new Date().toISOString() }) =>
    measures.map(
      ({ name }): Measurement => ({
        ...{ name, at, error: null },
        ...{ result: readingOf(result), baseline: readingOf(baseline) },
      }),
    );

/** What is looked at in a step says nothing, what goes on in the background is fine: it is held while measuring goes on. */
export const heldAndSteady: Partial<CanaryPlan> = {
  background: { analysis: 'steady', fromStep: 0 },
  analyses: {
    errors: analysisOf(),
    steady: { measures: [errorsBelow({ name: 'steady', count: null, intervalMs: 200 })], judging: null },
  },
};
export const steadyAlone: CanaryActivities['measureCanary'] = (order) =>
  measured(order.measures[0]?.name === 'steady' ? 0.01 : null)(order);

export const canaryTo = (control: ControlStore, script: Partial<CanaryActivities> = {}): CanaryActivities => ({
  measureCanary: measured(0.01),
  judgeCanary: async ({ at }) => ({
    ...{ outcome: 'passed', score: 100, because: 'as good', metrics: [] },
    ...(at !== undefined && { at }),
    evidence: evidenceOf('judgement'),
  }),
  countCanary: async () => ({ requests: 1_000 }),
  doubtCanary: async () => ({ doubts: [] }),
  detectable: async () => ({ requestsPerMinute: 60, effects: [], sentence: 'it would notice latency +20 %' }),
  twinOf: async ({ service, variant, cycle }) => {
    const id = evidenceOf(`twin of ${variant} in ${cycle}`).sha256;
    const artifact = evidenceOf(id);
    await control.addVariant({ id, service, artifact, origin: cycle, createdAt: '2026-01-01T00:00:00.000Z' });
    return { variant: id };
  },
  pastChampions: async () => [],
  callHook: async () => ({ ok: true, because: 'fine' }),
  readRoute: async ({ service }) => (await control.state(service))?.arms ?? null,
  keepCanary: async ({ trial }) => evidenceOf(`report of ${trial.service}`),
  ...script,
});

export type CanaryHandle = WorkflowHandleWithFirstExecutionRunId<(input: CanaryInput) => Promise<CanaryEnd>>;

/** The right to move the traffic of a service, as a cycle gets it. */
export const trialOf = async (control: ControlStore, service: string, cycle = CANARY_CYCLE): Promise<Trial> => {
  const order = { service, cycle, actor: { kind: 'cycle', name: cycle }, reason: 'for the test' };
  await control.note({
    ...order,
    key: `${service}/${cycle}/admitted`,
    kind: 'cycle admitted',
    body: { approval: null },
  });
  const answer = await control.grant({ ...order, key: `${service}/${cycle}/lane` });
  if (answer.outcome === 'refused') throw new Error(answer.because);
  const { epoch, promotion, arms } = answer.state;
  return {
    ...{ service, cycle, environment: 'staging', champion: championOf(service), challenger: challengerOf(service) },
    ...{ token: { epoch, promotion }, arms, evidence: evidenceOf('evaluation').sha256 },
    requestedBy: { kind: 'gate', name: 'ndcg' },
  };
};

export const startCanary = async (
  { client, control }: Pick<World, 'client' | 'control'>,
  service: string,
  plan: CanaryPlan,
  changes: Partial<CanaryInput> = {},
): Promise<CanaryHandle> => {
  const trial = changes.trial ?? (await trialOf(control, service));
  return client.workflow.start<(input: CanaryInput) => Promise<CanaryEnd>>('canaryPromotion', {
    workflowId: canaryWorkflowId(service, trial.cycle),
    taskQueue: queues.control,
    typedSearchAttributes: attributesOf({ service }),
    args: [{ trial, plan, ...changes }],
  });
};

export const canaryStatus = (handle: Pick<CanaryHandle, 'query'>): Promise<CanaryStatus> =>
  handle.query(canaryStatusQuery);
export const whenCanary = (
  handle: Pick<CanaryHandle, 'query'>,
  until: (status: CanaryStatus) => boolean,
): Promise<CanaryStatus> => eventually(() => canaryStatus(handle), until);
