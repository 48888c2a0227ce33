/**
 * What the built-in stages leave behind, as it stands in their artifacts. Fields that are not known here are kept: a stage
 * may say more than its reader needs.
 */
import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { type CyclePlan, PLUGGABLE_STAGES, type PluggableStage, type Stage } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import { VERDICTS } from '../../contracts/stages.ts';
import { GATE_STATES, type Gate, type Vitals } from '../../contracts/vitals.ts';
import { trial } from '../lexical/trial.ts';

export const artifactRef: z.ZodType<ArtifactRef> = z.object({
  uri: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const reading = z.object({ value: z.number(), n: z.number(), low: z.number(), high: z.number() });
const vitals: z.ZodType<Vitals> = z.object({
  service: z.string(),
  variant: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  readings: z.record(z.string(), reading),
});
const gate: z.ZodType<Gate> = z.object({
  name: z.string(),
  metric: z.string(),
  rule: z.union([z.object({ drop: z.number() }), z.object({ above: z.number() }), z.object({ below: z.number() })]),
  samples: z.number(),
  windowMs: z.number(),
  withinMs: z.number(),
});
const finding = z.object({
  gate: z.string(),
  metric: z.string(),
  state: z.enum(GATE_STATES),
  value: z.number().nullable(),
  limit: z.number().nullable(),
  baseline: z.number().nullable(),
  n: z.number(),
  because: z.string(),
  withinMs: z.number(),
});
const term = z.object({ term: z.string(), queries: z.number() });
const reasons = z.array(z.string());
const ofStage = <S extends PluggableStage, F extends z.ZodRawShape>(stage: S, fields: F) =>
  z.looseObject({ stage: z.literal(stage), service: z.string(), cycle: z.string(), ...fields });

export const stageEvidence = {
  monitor: ofStage('monitor', {
    champion: z.string(),
    gates: z.array(gate),
    vitals: z.array(vitals),
    baseline: vitals.nullable(),
    findings: z.array(finding),
  }),
  diagnose: ofStage('diagnose', {
    champion: z.string(),
    corpus: artifactRef,
    lost: z.number(),
    queries: z.number(),
    unknown: z.array(term),
  }),
  augment: ofStage('augment', { dataset: artifactRef, manifest: z.looseObject({ train: artifactRef }) }),
  train: ofStage('train', {
    champion: z.string(),
    challenger: z.string().nullable(),
    dataset: artifactRef,
    seed: z.number(),
    fittedOn: z.number(),
    trials: z.array(trial).min(1),
    stoppedBy: z.string(),
  }),
  evaluate: ofStage('evaluate', {
    champion: z.string(),
    challenger: z.string(),
    seed: z.number(),
    verdict: z.enum(VERDICTS),
    reasons,
    difference: z.object({ mean: z.number(), low: z.number(), high: z.number(), n: z.number() }),
    scores: z.array(z.object({ query: z.string(), champion: z.number(), challenger: z.number() })),
  }),
  watch: ofStage('watch', {
    rule: z.object({ samples: z.number(), maxDrop: z.number(), gates: z.array(gate) }),
    champion: vitals,
    challenger: vitals,
    state: z.enum(['healthy', 'degraded', 'no data']),
    reasons,
  }),
  learn: ofStage('learn', { outcome: z.string(), because: z.string(), challenger: z.string().nullable() }),
} satisfies Record<PluggableStage, z.ZodType>;

const trialled = z.looseObject({
  service: z.string(),
  cycle: z.string(),
  champion: z.string(),
  challenger: z.string(),
});
/** What trials in live traffic leave: an A/B evaluation, a canary. */
export const trialEvidence = {
  ab: z.looseObject({
    trial: trialled,
    plan: z.looseObject({ metric: z.string(), alpha: z.number() }),
    startedAt: z.string(),
    /** null where it was left for a person to decide by. */
    outcome: z.string().nullable(),
    because: z.string(),
    finding: z.looseObject({ decision: z.string(), sentence: z.string() }).nullable(),
    sums: z.looseObject({ phases: z.array(z.unknown()) }).nullable(),
    looks: z.array(z.looseObject({ at: z.string(), share: z.number() })),
  }),
  canary: z.looseObject({ trial: trialled, end: z.looseObject({ outcome: z.string(), because: z.string() }) }),
};

export type StageEvidence<S extends PluggableStage> = z.infer<(typeof stageEvidence)[S]>;

const BUILT_IN: Readonly<Record<PluggableStage, string>> = {
  monitor: 'findBreach',
  diagnose: 'diagnose',
  augment: 'augment',
  train: 'train',
  evaluate: 'evaluate',
  watch: 'watch',
  learn: 'learn',
};
const OURS: ReadonlySet<string> = new Set(Object.values(queues));

/** Whether the service did this stage's work itself; what it leaves may be anything then. */
export const isOwn = ({ stages }: Pick<CyclePlan, 'stages'>, stage: PluggableStage): boolean => {
  const { runs, name, taskQueue } = stages[stage];
  return runs === 'workflow' || name !== BUILT_IN[stage] || !OURS.has(taskQueue);
};

export const isPluggable = (stage: Stage): stage is PluggableStage =>
  (PLUGGABLE_STAGES as readonly string[]).includes(stage);
