/**
 * What each stage of a cycle leaves in the folder of evidence, made from its artifact. The same artifacts give the same
 * bytes; what is not there is not made up.
 */

import { z } from 'zod';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { csv } from '../adapters/evidence/csv.ts';
import { CONFIGURATION, fileBytes, runFolder } from '../adapters/evidence/files.ts';
import { sha256 } from '../adapters/evidence/folder.ts';
import { isOwn, type StageEvidence, stageEvidence, trialEvidence } from '../adapters/evidence/stage-evidence.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { SealOrder } from '../contracts/evidence.ts';
import { PawlError } from '../contracts/failures.ts';
import { cycleWorkflowId } from '../contracts/ids.ts';
import type { PluggableStage, Stage } from '../contracts/plan.ts';
import { helmPatch } from '../domain/helm-patch.ts';
import { best } from '../domain/settings-search.ts';
import { readCandidates, readManifest, readQueries } from './dataset.ts';

export interface EvidenceSources {
  readonly artifacts: ArtifactStore;
  readonly control: Pick<ControlStore, 'variant' | 'ledger'>;
}

export type NamedFiles = ReadonlyArray<readonly [name: string, bytes: Buffer]>;
interface Order extends SealOrder {
  /** Who was on trial. A cycle that was stopped from outside does not say so in its end. */
  readonly challenger: string | null;
}
type Make = (order: Order, sources: EvidenceSources) => Promise<NamedFiles>;

/** Every file that the stages of this cycle leave, by stage. */
export const filesOf = async (given: SealOrder, sources: EvidenceSources): Promise<ReadonlyMap<Stage, NamedFiles>> => {
  const order = { ...given, challenger: given.end.challenger ?? (await challengerIn(given, sources)) };
  // An approval stays evidence where another person then rejected.
  const stages = new Set([...order.done, ...(order.approvals.length > 0 ? (['approve'] as const) : [])]);
  const made = new Map<Stage, NamedFiles>();
  for (const stage of stages) made.set(stage, await MAKE[stage](order, sources));
  return made;
};

const named = z.looseObject({ challenger: z.string() });
const moved = z.looseObject({ arms: z.array(z.looseObject({ variant: z.string() })) });

const challengerIn = async (order: SealOrder, { artifacts, control }: EvidenceSources): Promise<string | null> => {
  for (const stage of ['train', 'evaluate'] as const) {
    const ref = order.evidence[stage];
    const left = named.safeParse(ref && jsonOf((await ifThere(artifacts, ref)) ?? Buffer.of()));
    if (left.success) return left.data.challenger;
  }
  const shifts = await control.ledger({ service: order.service, cycle: order.cycle, kind: 'shift' });
  const arms = shifts.flatMap(({ body }) => moved.safeParse(body).data?.arms ?? []);
  return arms.find(({ variant }) => variant !== order.champion)?.variant ?? null;
};

export const configurationFile = ({ service, cycle, champion, plan, request }: SealOrder): NamedFiles => {
  const { config, commit } = plan;
  const content = {
    service,
    cycle,
    champion,
    config,
    commit,
    plan: { ...plan },
    request: request ? { ...request } : null,
  };
  return [[CONFIGURATION, fileBytes('configuration', content)]];
};

/** Reads what a built-in stage left; what the service's own stage left is copied to `name`, when it is JSON. */
const fromStage =
  <S extends PluggableStage>(
    stage: S,
    name: (evidence: ArtifactRef) => string,
    make: (evidence: StageEvidence<S>, order: Order, sources: EvidenceSources, ref: ArtifactRef) => Promise<NamedFiles>,
  ): Make =>
  async (order, sources) => {
    const ref = order.evidence[stage];
    const bytes = ref ? await ifThere(sources.artifacts, ref) : null;
    if (!ref || bytes === null) return [];
    const value = jsonOf(bytes);
    if (value === undefined) return [];
    const known = isOwn(order.plan, stage) ? null : stageEvidence[stage].safeParse(value);
    if (known?.success) return make(known.data as StageEvidence<S>, order, sources, ref);
    return [[name(ref), bytes]];
  };

const model = async ({ control, artifacts }: EvidenceSources, challenger: string | null, ref: ArtifactRef) => {
  const variant = challenger === null ? null : await control.variant(challenger);
  const bytes = variant && (await ifThere(artifacts, variant.artifact));
  return bytes ? [[`${runFolder(ref.sha256)}/model/variant.json`, bytes] as const] : [];
};

const training = fromStage(
  'train',
  (ref) => `${runFolder(ref.sha256)}/metrics/evidence.json`,
  async (evidence, _, sources, ref) => {
    const { service, cycle, champion, challenger, dataset, seed, fittedOn, trials, stoppedBy } = evidence;
    const scores = { champion: trials[0]?.score ?? 0, challenger: best(trials).score, trials: trials.length };
    const of = { service, cycle, variants: { champion, challenger }, dataset, evidence: ref };
    const folder = runFolder(ref.sha256);
    return [
      [
        `${folder}/metrics/scores.json`,
        fileBytes('run_scores', { ...of, metric: 'ndcg@10', fittedOn, stoppedBy, ...scores }),
      ],
      [`${folder}/metrics/trials.json`, fileBytes('run_trials', { ...of, seed, trials })],
      ...(await model(sources, challenger, ref)),
    ];
  },
);

const dataset = fromStage(
  'augment',
  () => 'dataset_manifest.yaml', // JSON is YAML too.
  async ({ service, cycle, dataset, diagnosis }, _, { artifacts }) => {
    const manifest = await readIfThere(() => readManifest(artifacts, dataset));
    if (manifest === null) return [];
    const { corpus, documents, train, test, trainQueries, testQueries, candidates } = manifest;
    const [judged, mined] = [
      await readIfThere(() => readQueries(artifacts, train)),
      await readIfThere(() => readCandidates(artifacts, candidates)),
    ];
    if (judged === null || mined === null) return [];
    const rows = [
      ...judged.flatMap(({ id, text, judgements }) =>
        Object.entries(judgements).map(([document, grade]) => ['judgement', 'judged:train', id, text, document, grade]),
      ),
      ...mined.flatMap(({ word, synonyms, score, source }) =>
        synonyms.map((synonym) => ['synonym', `mined:${source}`, '', word, synonym, score]),
      ),
    ];
    const table = Buffer.from(csv([['kind', 'origin', 'query_id', 'text', 'target', 'value'], ...rows]));
    const content = {
      ...{ service, cycle, diagnosis, dataset },
      corpus: { ...corpus, documents },
      train: { ...train, queries: trainQueries },
      test: { ...test, queries: testQueries },
      candidates: { ...candidates, words: mined.length },
      csv: { name: 'augmented_dataset.csv', sha256: sha256(table), rows: rows.length },
    };
    return [
      ['dataset_manifest.yaml', fileBytes('dataset_manifest', content, 'yaml')],
      ['augmented_dataset.csv', table],
    ];
  },
);

/** The values under which a cluster would serve this variant: all of it once it is promoted, its share before. */
const helm: Make = async ({ service, cycle, plan, end, champion, challenger, evidence }, { control }) => {
  if (challenger === null) return [];
  const promoted = end.outcome === 'promoted';
  const share = plan.canary?.steps.find((step) => 'weight' in step)?.weight ?? plan.deploy.share;
  const [granted] = await control.ledger({ service, cycle, kind: 'grant' });
  const state = z.object({ epoch: z.number(), promotion: z.number() }).safeParse(granted?.body.state);
  const content = helmPatch({
    ...{ service, cycle, environment: plan.environment, outcome: end.outcome },
    configuration: { sha256: plan.config, commit: plan.commit },
    arms: promoted
      ? [{ variant: challenger, share: 1 }]
      : [
          { variant: champion, share: 1 - share },
          { variant: challenger, share },
        ],
    champion: promoted ? challenger : champion,
    artifacts: {
      [champion]: (await control.variant(champion))?.artifact ?? null,
      [challenger]: (await control.variant(challenger))?.artifact ?? null,
    },
    evidence: evidence.evaluate?.sha256 ?? null,
    token: state.success ? { epoch: state.data.epoch, promotion: state.data.promotion } : null,
  });
  return [['helm_patch.yaml', fileBytes('helm_patch', content, 'yaml')]];
};

/** With the tokens themselves, so that the folder can be checked without the ledger. */
const approvals: Make = async ({ service, cycle, plan, approvals: given }, { control }) => {
  if (given.length === 0) return [];
  const rows = await control.ledger({ service, cycle, kind: 'decision' });
  const workflow = cycleWorkflowId(service, cycle);
  const tokens = rows
    .filter(({ body }) => body.allowed === true && body.action === 'approve' && body.workflow === workflow)
    .map(({ body }) => ({ person: body.person, token: typeof body.token === 'string' ? body.token : null }));
  const tokenOf = (person: string) => tokens.find((one) => one.person === person)?.token ?? null;
  const content = {
    ...{ service, cycle, asked: plan.approval },
    approvals: given.map((approval) => ({ ...approval, token: tokenOf(approval.person) })),
  };
  return [['approvals.json', fileBytes('approvals', content)]];
};

const trial =
  (stage: 'ab' | 'canary', name: string, schema: 'ab_evaluation' | 'canary_report'): Make =>
  async (order, { artifacts }) => {
    const ref = order.evidence[stage];
    const bytes = ref ? await ifThere(artifacts, ref) : null;
    const value = bytes && jsonOf(bytes);
    return trialEvidence[stage].safeParse(value).success ? [[name, fileBytes(schema, value as never)]] : [];
  };
const canary = trial('canary', 'canary_report.json', 'canary_report');

const MAKE: Readonly<Record<Stage, Make>> = {
  monitor: fromStage(
    'monitor',
    () => 'monitor.json',
    async (evidence) => [['monitor.json', fileBytes('monitor', evidence)]],
  ),
  diagnose: fromStage(
    'diagnose',
    () => 'diagnostic_report.json',
    async (evidence) => [['diagnostic_report.json', fileBytes('diagnostic_report', evidence)]],
  ),
  augment: dataset,
  train: async (order, sources) => {
    const files = await training(order, sources);
    const ref = order.evidence.train;
    const own = ref && isOwn(order.plan, 'train') ? await model(sources, order.challenger, ref) : [];
    return [...files, ...own];
  },
  evaluate: fromStage(
    'evaluate',
    () => 'evaluation.json',
    async (evidence) => [['evaluation.json', fileBytes('evaluation', evidence)]],
  ),
  approve: approvals,
  ab: trial('ab', 'ab_test_results.json', 'ab_evaluation'),
  canary: async (order, sources) => [...(await canary(order, sources)), ...(await helm(order, sources))],
  deploy: helm,
  watch: fromStage(
    'watch',
    () => 'ab_test_results.json',
    async (evidence, { plan }) => [
      ['ab_test_results.json', fileBytes('ab_test_results', { ...evidence, share: plan.deploy.share })],
    ],
  ),
  promote: helm,
  learn: fromStage(
    'learn',
    () => 'lesson.json',
    async (evidence) => [['lesson.json', fileBytes('lesson', evidence)]],
  ),
};

const jsonOf = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** What is missing or damaged is missing from the evidence; a disk that does not answer is asked again. */
const readIfThere = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PawlError && LOST.has(error.type)) return null;
    throw error;
  }
};
const LOST: ReadonlySet<string> = new Set(['NotFound', 'DigestMismatch', 'Usage', 'ConfigInvalid']);

const ifThere = (artifacts: ArtifactStore, ref: ArtifactRef): Promise<Buffer | null> =>
  readIfThere(() => artifacts.get(ref));
