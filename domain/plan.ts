import type { ServiceConfig, Settings } from '../contracts/config.ts';
import {
  type ApprovalPlan,
  type CyclePlan,
  PLUGGABLE_STAGES,
  type PluggableStage,
  type StagePlan,
} from '../contracts/plan.ts';
import { queues } from '../contracts/queues.ts';
import type { Gate } from '../contracts/vitals.ts';
import { abPlanOf, canaryPlanOf } from './trial-plans.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Reads of what is there: an attempt is short, so that a lost one costs seconds without any heartbeat. */
const look = (name: string): StagePlan => ({
  runs: 'activity',
  name,
  taskQueue: queues.data,
  timeoutMs: 8 * SECOND,
});
/** Work that may take long and tells how far it is; eight seconds of silence mean that its worker is gone. */
const work = (name: string, timeoutMs: number, taskQueue: string = queues.data): StagePlan => ({
  runs: 'activity',
  name,
  taskQueue,
  timeoutMs,
  heartbeatMs: 8 * SECOND,
});

const builtIn = (training: Settings['training']): Readonly<Record<PluggableStage, StagePlan>> => ({
  monitor: look('findBreach'),
  diagnose: work('diagnose', 15 * MINUTE),
  augment: work('augment', 30 * MINUTE),
  // The search stops by itself when its time is over; the rest is for reading data and building indexes.
  train: work('train', training.time + 15 * MINUTE, queues.train),
  evaluate: work('evaluate', 30 * MINUTE),
  watch: look('watch'),
  learn: look('learn'),
});

export function planOf(config: ServiceConfig): CyclePlan {
  const { approval, training, deploy, watch, limits, promises, ab, canary } = config;
  return {
    environment: config.environment,
    mode: config.mode,
    config: config.digest,
    commit: config.commit,
    stages: stagesOf(config),
    gates: Object.entries(config.gates).map(([name, gate]) => gateOf(name, gate)),
    approval: approval.required ? approvalOf(approval) : null,
    notify: true,
    training: { trials: training.trials, seconds: training.time / SECOND, seed: training.seed },
    deploy: { share: deploy.share },
    watch: { forMs: watch.for, samples: watch.samples, maxDrop: watch.maxDrop },
    ab: ab && abPlanOf(ab),
    canary: canary && canaryPlanOf(canary),
    limits: limitsOf(limits),
    promises,
  };
}

function approvalOf({ expires, quorum, roles, remind, escalate }: Settings['approval']): ApprovalPlan {
  return {
    expiresMs: expires,
    quorum,
    ...(roles && { roles }),
    ...(remind !== undefined && { remindMs: remind }),
    ...(escalate && { escalate: { afterMs: escalate.after, roles: escalate.to } }),
  };
}

function limitsOf({ cyclesPerDay, cooldown, running, dollarsPerDay, gpuMinutesPerDay }: Settings['limits']) {
  return {
    cyclesPerDay,
    cooldownMs: cooldown,
    running,
    // Policies count in whole numbers.
    ...(dollarsPerDay !== undefined && { centsPerDay: Math.round(dollarsPerDay * 100) }),
    ...(gpuMinutesPerDay !== undefined && { gpuMinutesPerDay }),
  };
}

function stagesOf({ stages, training }: ServiceConfig): CyclePlan['stages'] {
  const plan: Record<PluggableStage, StagePlan> = { ...builtIn(training) };
  for (const stage of PLUGGABLE_STAGES) {
    const own = stages[stage];
    if (own) plan[stage] = ownStage(own);
  }
  return plan;
}

function ownStage(own: NonNullable<Settings['stages'][PluggableStage]>): StagePlan {
  return {
    runs: own.workflow === undefined ? 'activity' : 'workflow',
    name: own.workflow ?? own.activity ?? '',
    taskQueue: own.taskQueue,
    timeoutMs: own.timeout,
    ...(own.heartbeat !== undefined && { heartbeatMs: own.heartbeat }),
  };
}

function gateOf(name: string, gate: Settings['gates'][string]): Gate {
  return {
    name,
    metric: gate.metric,
    rule: ruleOf(gate),
    samples: gate.samples,
    windowMs: gate.window,
    withinMs: gate.within,
  };
}

/** The schema lets exactly one of the three through. */
function ruleOf({ drop, above, below }: Settings['gates'][string]): Gate['rule'] {
  if (drop !== undefined) return { drop };
  return above === undefined ? { below: below ?? 0 } : { above };
}
