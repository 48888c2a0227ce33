/**
 * The files of a folder of evidence: their names, and what stands in each.
 *
 * 1. Names are permanent. A file says by its first field which schema it follows, such as `pawl/evaluation/v1`.
 * 2. A version that this code does not know is refused, never guessed at. Fields that are added keep the version.
 * 3. What a stage of the service's own left is copied as it is, and follows no schema of Pawl's; so are the model, whose
 *    bytes are those that serve, and the CSV.
 */
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { OUTCOMES } from '../../contracts/messages.ts';
import { STAGES, type Stage } from '../../contracts/plan.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { artifactRef, stageEvidence, trialEvidence } from './stage-evidence.ts';

const VERSION = 1;

export const STATEMENT = 'statement.json';
export const CONFIGURATION = 'configuration.json';

/** The file, or the folder of files, that each stage must leave. `<id>` is the training run's. */
export const FILES_OF: Readonly<Record<Stage, readonly string[]>> = {
  monitor: ['monitor.json'],
  diagnose: ['diagnostic_report.json'],
  augment: ['dataset_manifest.yaml', 'augmented_dataset.csv'],
  train: ['mlflow_run_<id>/metrics', 'mlflow_run_<id>/model'],
  evaluate: ['evaluation.json'],
  approve: ['approvals.json'],
  ab: ['ab_test_results.json'],
  canary: ['canary_report.json', 'helm_patch.yaml'],
  deploy: ['helm_patch.yaml'],
  watch: ['ab_test_results.json'],
  promote: ['helm_patch.yaml'],
  learn: ['lesson.json'],
};

/** Training has no id of its own: its evidence does, and the same training leaves the same. */
export const runFolder = (evidenceDigest: string): string => `mlflow_run_${evidenceDigest.slice(0, 32)}`;

const counted = artifactRef.and(z.looseObject({ queries: z.number() }));
const trained = stageEvidence.train.shape;
const variant = z.looseObject({ id: z.string(), artifact: artifactRef.nullable(), share: z.number() });

/** By the name in the schema; the stages' own fields stand beside `schema`. */
const shapes = {
  configuration: z.looseObject({
    service: z.string(),
    cycle: z.string(),
    champion: z.string(),
    config: z.string(),
    commit: z.string().nullable(),
    plan: z.looseObject({ environment: z.string(), mode: z.string() }),
    request: z.looseObject({ trigger: z.enum(['gate', 'schedule', 'hand']) }).nullable(),
  }),
  monitor: stageEvidence.monitor,
  diagnostic_report: stageEvidence.diagnose,
  dataset_manifest: z.looseObject({
    dataset: artifactRef,
    corpus: artifactRef.and(z.looseObject({ documents: z.number() })),
    train: counted,
    test: counted,
    candidates: artifactRef.and(z.looseObject({ words: z.number() })),
    csv: z.looseObject({ sha256: z.string(), rows: z.number() }),
  }),
  run_scores: z.looseObject({ champion: z.number(), challenger: z.number(), trials: z.number() }),
  run_trials: z.looseObject({ seed: trained.seed, trials: trained.trials }),
  evaluation: stageEvidence.evaluate,
  approvals: z.looseObject({
    approvals: z.array(
      z.looseObject({
        person: z.string(),
        role: z.string(),
        reason: z.string(),
        at: z.string(),
        token: z.string().nullable(),
      }),
    ),
  }),
  helm_patch: z.looseObject({
    selfImprovement: z.looseObject({ services: z.record(z.string(), z.looseObject({ champion: variant })) }),
  }),
  ab_test_results: stageEvidence.watch.extend({ share: z.number() }),
  ab_evaluation: trialEvidence.ab,
  canary_report: trialEvidence.canary,
  lesson: stageEvidence.learn,
} as const;
export type FileSchema = keyof typeof shapes;
export type FileContent<S extends FileSchema> = z.infer<(typeof shapes)[S]>;

export const fileBytes = <S extends FileSchema>(schema: S, content: FileContent<S>, form: 'json' | 'yaml' = 'json') => {
  const whole = { schema: `pawl/${schema}/v${VERSION}`, ...shapes[schema].parse(content) };
  // By way of canonical JSON, so that the same content is the same text in whatever order it was put together.
  const ordered = JSON.parse(canonicalJson(whole)) as Record<string, unknown>;
  const { schema: first, ...rest } = ordered;
  const value = { schema: first, ...rest };
  return Buffer.from(form === 'yaml' ? stringify(value) : `${JSON.stringify(value, null, 2)}\n`);
};

/** What a file of the folder holds, if it is of this schema and of a version that is known here. */
export const readEvidenceFile = <S extends FileSchema>(schema: S, name: string, bytes: Uint8Array): FileContent<S> => {
  const value = parsed(name, bytes);
  const why = objection(name, value, schema);
  if (why !== null) throw new PawlError('ConfigInvalid', why.because, { hint: why.hint });
  return shapes[schema].parse(value) as FileContent<S>;
};

/** What is wrong with the form of a file; null where nothing is, or where the file follows no schema of Pawl's. */
export const problemOfFile = (name: string, bytes: Uint8Array): string | null => {
  if (!/\.(json|yaml)$/.test(name)) return null;
  try {
    const value = parsed(name, bytes);
    return isOfPawl(value) ? (objection(name, value)?.because ?? null) : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const FORM = /^pawl\/([a-z_]+)\/v(\d+)$/;
const isOfPawl = (value: unknown): value is { schema: string } =>
  typeof value === 'object' && value !== null && 'schema' in value && FORM.test(String(value.schema));

const objection = (name: string, value: unknown, wanted?: FileSchema): { because: string; hint: string } | null => {
  const [, schema = '', version = ''] = (isOfPawl(value) ? FORM.exec(value.schema) : null) ?? [];
  const hint = 'Read it with the version of Pawl that wrote it, or a later one.';
  if (schema === '') return { because: `${name} does not say which schema of Pawl's it follows.`, hint };
  if (wanted !== undefined && schema !== wanted) {
    return { because: `${name} follows pawl/${schema}, not pawl/${wanted}.`, hint: 'Is it under the right name?' };
  }
  if (!(schema in shapes) || Number(version) !== VERSION) {
    const because = `${name} follows pawl/${schema}/v${version}; this version of Pawl reads v${VERSION} of what it knows.`;
    return { because, hint };
  }
  const checked = shapes[schema as FileSchema].safeParse(value);
  if (checked.success) return null;
  const [issue] = checked.error.issues;
  return { because: `${name}: ${issue?.path.join('.')}: ${issue?.message}`, hint };
};

const parsed = (name: string, bytes: Uint8Array): unknown => {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    return name.endsWith('.yaml') ? parse(text, { maxAliasCount: 0 }) : JSON.parse(text);
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${name} cannot be read: ${String(cause)}`, { cause });
  }
};

/** The in-toto predicate: what the cycle was, and which of its stages left which files. */
export const predicate = z.looseObject({
  service: z.string(),
  cycle: z.string(),
  outcome: z.enum(OUTCOMES),
  because: z.string(),
  champion: z.string(),
  challenger: z.string().nullable(),
  /** The champion after the cycle, where the cycle knows it. */
  serves: z.string().nullable(),
  /** Digest of the plan's canonical JSON. */
  plan: z.string(),
  config: z.string(),
  commit: z.string().nullable(),
  complete: z.boolean(),
  missing: z.array(z.string()),
  done: z.array(z.enum(STAGES)),
  stages: z.partialRecord(
    z.enum(STAGES),
    z.object({ evidence: artifactRef.nullable(), own: z.boolean(), files: z.array(z.string()) }),
  ),
});
export type Predicate = z.infer<typeof predicate>;
