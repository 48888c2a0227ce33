/** A plan with everything switched on, and stages that answer at once. */
import type { EvidenceActivities } from '../../contracts/evidence.ts';
import { type CyclePlan, PLUGGABLE_STAGES, type PluggableStage, type StagePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities } from '../../contracts/stages.ts';

const ACTIVITY: Partial<Record<PluggableStage, string>> = { monitor: 'findBreach' };
const stageOf = (name: PluggableStage): [PluggableStage, StagePlan] => [
  name,
  { runs: 'activity', name: ACTIVITY[name] ?? name, taskQueue: queues.data, timeoutMs: 60_000, heartbeatMs: 10_000 },
];
const gate = { samples: 30, windowMs: 86_400_000, withinMs: 3_600_000 };

export const noOpPlan: CyclePlan = {
  environment: 'production',
  mode: 'act',
  config: '0'.repeat(64),
  commit: null,
  stages: Object.fromEntries(PLUGGABLE_STAGES.map(stageOf)) as CyclePlan['stages'],
  gates: [
    { ...gate, name: 'ndcg', metric: 'ndcg', rule: { drop: 0.03 } },
    { ...gate, name: 'latency', metric: 'latency', rule: { above: 800 } },
    { ...gate, name: 'errors', metric: 'errors', rule: { above: 0.1 } },
  ],
  approval: null,
  training: { trials: 40, seconds: 60, seed: 7 },
  deploy: { share: 0.5 },
  watch: { forMs: 1_000, samples: 10, maxDrop: 0.03 },
  limits: { cyclesPerDay: 1_000_000, cooldownMs: 0, running: 1 },
  promises: { diagnose: 900_000, augment: 1_800_000, evaluate: 3_600_000 },
};

const evidence = { uri: `artifact:sha256/${'0'.repeat(64)}`, sha256: '0'.repeat(64) };
const result = { summary: 'nothing was done', evidence };
const scores = { championScore: 0.4, challengerScore: 0.5 };
const finding = { gate: 'ndcg', metric: 'ndcg', value: 0.4, limit: 0.5, baseline: 0.52, n: 100 } as const;

export const championOf = (service: string): string => `champion-of-${service}`.padEnd(64, '0');
export const challengerOf = (service: string): string => `challenger-of-${service}`.padEnd(64, '0');

/** Each cycle promotes: the variant that does not serve is the challenger. */
export const noOpStages: StageActivities & EvidenceActivities = {
  findBreach: async () => ({
    ...result,
    findings: [{ ...finding, state: 'breach', because: 'ndcg fell', withinMs: 3_600_000 }],
  }),
  diagnose: async () => ({ ...result, lost: 10, queries: 100 }),
  augment: async () => ({ ...result, dataset: evidence, trainQueries: 100, candidates: 3 }),
  train: async ({ service, champion }) => {
    const other = champion === championOf(service) ? challengerOf(service) : championOf(service);
    return { ...result, ...scores, challenger: other, trials: 10 };
  },
  evaluate: async () => ({
    ...result,
    ...scores,
    verdict: 'better',
    reasons: ['better by 0.1'],
    low: 0.05,
    high: 0.15,
    queries: 100,
  }),
  watch: async () => ({ ...result, state: 'healthy', reasons: ['as good'] }),
  learn: async () => result,
  sealEvidence: async ({ end }) => ({ outcome: end.outcome, complete: true, missing: [], statement: evidence }),
};
