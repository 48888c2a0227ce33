import type { CyclePlan, PluggableStage, StagePlan } from '../../contracts/plan.ts';
import { PLUGGABLE_STAGES } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';

const stage = (name: string): StagePlan => ({
  runs: 'activity',
  name,
  taskQueue: queues.data,
  timeoutMs: 60_000,
  heartbeatMs: 5_000,
});
const ACTIVITY: Partial<Record<PluggableStage, string>> = { monitor: 'findBreach' };

/** A plan that acts, asks nobody, and watches for a moment only. */
export const testPlan = (changes: Partial<CyclePlan> = {}): CyclePlan => ({
  environment: 'staging',
  mode: 'act',
  config: '0'.repeat(64),
  commit: null,
  stages: Object.fromEntries(
    PLUGGABLE_STAGES.map((name) => [name, stage(ACTIVITY[name] ?? name)]),
  ) as CyclePlan['stages'],
  gates: [],
  approval: null,
  training: { trials: 10, seconds: 10, seed: 7 },
  deploy: { share: 0.5 },
  watch: { forMs: 1_000, samples: 10, maxDrop: 0.03 },
  limits: { cyclesPerDay: 1_000, cooldownMs: 0, running: 100 },
  promises: {},
  ...changes,
});
