/** What is recorded of a cycle that has ended, read by digest: from it everything can be decided once more. */
import { z } from 'zod';
import { readCandidates, readManifest } from '../activities/dataset.ts';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { CONFIGURATION, readEvidenceFile } from '../adapters/evidence/files.ts';
import { sha256 } from '../adapters/evidence/folder.ts';
import {
  artifactRef,
  isOwn,
  type StageEvidence,
  stageEvidence,
  trialEvidence,
} from '../adapters/evidence/stage-evidence.ts';
import { openStatement } from '../adapters/evidence/statement.ts';
import { erasedIn, sealedRef } from '../adapters/evidence/verify.ts';
import { readPeople } from '../adapters/keys/people.ts';
import { recipeOf } from '../adapters/lexical/recipe.ts';
import { loadVariant } from '../adapters/lexical/variant.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { PawlError } from '../contracts/failures.ts';
import { cycleWorkflowId } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import { type CycleEnd, type CycleInput, type CycleRequest, OUTCOMES } from '../contracts/messages.ts';
import { type CyclePlan, type PluggableStage, STAGES, type Stage } from '../contracts/plan.ts';
import type { VariantContent } from '../contracts/variant.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { AbRecord, CycleRecord, Left, Settings, Traffic, TrainRecord } from '../domain/rederive.ts';
import { searchSpace } from '../domain/settings-search.ts';
import { checkedApprovals, checkedSignatures } from './checked-signatures.ts';
import type { Context } from './context.ts';
import type { EndedCycle } from './evidence.ts';

export interface RecordedCycle {
  readonly record: CycleRecord;
  readonly settings: Settings;
  /** What was to be read and could not be, or contradicts itself. */
  readonly problems: readonly string[];
}

const endBody = z.looseObject({
  outcome: z.enum(OUTCOMES),
  because: z.string(),
  challenger: z.string().nullable(),
  champion: z.string().nullable(),
  evidence: z.partialRecord(z.enum(STAGES), artifactRef).default({}),
  approvals: z
    .array(z.object({ person: z.string(), role: z.string(), reason: z.string(), at: z.string() }))
    .default([]),
});

/** Where a cycle stands in writing: its statement, or for one that was not sealed the history of its workflow. */
interface Source {
  readonly plan: CyclePlan;
  readonly request: Pick<CycleRequest, 'trigger'> & Partial<Pick<CycleRequest, 'requestedBy' | 'challenger'>>;
  readonly champion: string;
  readonly done: readonly Stage[];
  readonly evidence: Readonly<Partial<Record<Stage, ArtifactRef>>>;
}

export const recordedCycle = async (
  context: Context,
  { service, cycle, end: row }: EndedCycle,
  input: CycleInput | null,
): Promise<RecordedCycle> => {
  if (row === null) {
    throw new PawlError('NoData', `${cycle} has not ended, so there is no decision to derive its end from.`, {
      hint: `\`pawl cycle watch ${cycle}\` waits for its end.`,
    });
  }
  const rows = await context.control.ledger({ service, cycle });
  const body = endBody.parse(row.body);
  const end: CycleEnd = { ...body, outcome: body.outcome };
  const problems: string[] = [];
  const source =
    (await sealedSource(context.artifacts, row, problems)) ?? unsealedSource(input, body.evidence, rows, problems);
  const erased = erasedIn(await context.control.ledger({ kind: 'erased' }));
  const left = <S extends PluggableStage>(stage: S) => leftBy(context.artifacts, source, erased, stage);
  const [monitor, train, evaluate, watch] = [
    await left('monitor'),
    await left('train'),
    await left('evaluate'),
    await left('watch'),
  ];
  const challenger = body.challenger ?? (evaluate?.kind === 'evidence' ? evaluate.evidence.challenger : null);
  const decisions = await context.control.ledger({ service, kind: 'decision' });
  const facts = {
    allowed: decisions.filter((one) => one.body.allowed === true),
    people: await readPeople(context.home),
    workflow: cycleWorkflowId(service, cycle),
  };
  const admitted = rows.find(({ kind }) => kind === 'cycle admitted');
  const approvals = checkedApprovals(body.approvals, {
    ...facts,
    requestedBy: source.request.requestedBy?.name ?? null,
    variant: challenger,
    evidence: source.evidence.evaluate?.sha256 ?? null,
  });
  const record: CycleRecord = {
    ...{ end, monitor, evaluate, watch, approvals },
    ab: await trialLeft(context.artifacts, source, erased, 'ab', (found) => found as unknown as AbRecord),
    canary: await trialLeft(context.artifacts, source, erased, 'canary', ({ end }) => end),
    signatures: checkedSignatures(service, admitted, facts),
    champion: source.champion,
    done: source.done,
    train: await withSpace(context, service, train),
    traffic: trafficOf(rows, source.champion),
    idOf: (settings) => {
      const content: VariantContent = { kind: 'lexical', service, settings, recipe: recipeOf(settings) };
      return sha256(Buffer.from(canonicalJson(content)));
    },
  };
  return {
    record,
    settings: { plan: source.plan, trigger: source.request.trigger, challenger: source.request.challenger },
    problems,
  };
};

const sealedSource = async (artifacts: ArtifactStore, row: LedgerRow, problems: string[]): Promise<Source | null> => {
  const ref = sealedRef(row);
  if (ref === null) {
    const why = typeof row.body.unsealed === 'string' ? `: ${row.body.unsealed}` : '';
    problems.push(`its evidence was never sealed${why}`);
    return null;
  }
  try {
    const { predicate, subject } = openStatement(await artifacts.get(ref));
    const digest = subject.find(({ name }) => name === CONFIGURATION)?.digest.sha256 ?? '';
    const bytes = await artifacts.get({ uri: `artifact:sha256/${digest}`, sha256: digest });
    const configuration = readEvidenceFile('configuration', CONFIGURATION, bytes);
    const plan = configuration.plan as unknown as CyclePlan;
    if (sha256(Buffer.from(canonicalJson(plan))) !== predicate.plan)
      problems.push('the plan is not the one of the statement');
    for (const name of predicate.missing) problems.push(`${name} was missing when it was sealed`);
    const evidence = Object.entries(predicate.stages).flatMap(([stage, left]) =>
      left?.evidence ? [[stage, left.evidence]] : [],
    );
    return {
      plan,
      request: (configuration.request as Source['request'] | null) ?? { trigger: 'gate' },
      champion: predicate.champion,
      done: predicate.done,
      evidence: Object.fromEntries(evidence),
    };
  } catch (error) {
    problems.push(`its statement cannot be read: ${messageOf(error)}`);
    return null;
  }
};

const unsealedSource = (
  input: CycleInput | null,
  evidence: Source['evidence'],
  rows: readonly LedgerRow[],
  problems: readonly string[],
): Source => {
  if (input === null) {
    throw new PawlError('NoData', `Nothing says what plan this cycle had: ${problems.join('; ')}.`, {
      hint: 'The history of its workflow does: keep Temporal running, or give it with --history.',
    });
  }
  const { plan, request, champion } = input;
  const moved = rows
    .filter(({ kind, body }) => kind === 'shift' && body.outcome === 'done')
    .map(({ reason }) => reason);
  const approved = moved.length > 0 && plan.approval !== null ? ['approve'] : [];
  const names = new Set([...Object.keys(evidence), ...moved, ...approved]);
  return { plan, request, champion, evidence, done: STAGES.filter((stage) => names.has(stage)) };
};

const leftBy = async <S extends PluggableStage>(
  artifacts: ArtifactStore,
  { plan, done, evidence }: Source,
  erased: ReadonlySet<string>,
  stage: S,
): Promise<Left<StageEvidence<S>> | null> => {
  if (!done.includes(stage)) return null;
  return readLeft(artifacts, evidence[stage], erased, (value) => {
    if (isOwn(plan, stage)) return { kind: 'own' };
    const known = stageEvidence[stage].safeParse(value);
    return known.success ? { kind: 'evidence', evidence: known.data as StageEvidence<S> } : null;
  });
};

const trialLeft = async <S extends 'ab' | 'canary', T>(
  artifacts: ArtifactStore,
  { done, evidence }: Source,
  erased: ReadonlySet<string>,
  trial: S,
  recordIn: (found: z.infer<(typeof trialEvidence)[S]>) => T,
): Promise<Left<T> | null> => {
  if (!done.includes(trial)) return null;
  return readLeft(artifacts, evidence[trial], erased, (value) => {
    const known = trialEvidence[trial].safeParse(value);
    return known.success
      ? { kind: 'evidence', evidence: recordIn(known.data as z.infer<(typeof trialEvidence)[S]>) }
      : null;
  });
};

const readLeft = async <T>(
  artifacts: ArtifactStore,
  ref: ArtifactRef | undefined,
  erased: ReadonlySet<string>,
  read: (value: unknown) => Left<T> | null,
): Promise<Left<T>> => {
  if (ref === undefined) return { kind: 'lost', because: 'it left no evidence' };
  if (erased.has(ref.sha256) && !(await artifacts.has(ref))) return { kind: 'erased' };
  try {
    const value = await artifacts.getJson(ref);
    return read(value) ?? { kind: 'lost', because: 'its evidence is not what this stage leaves' };
  } catch (error) {
    return { kind: 'lost', because: `its evidence cannot be read: ${messageOf(error)}` };
  }
};

/** The search is repeated over the space that it had: the champion's settings, and the candidates of the dataset. */
const withSpace = async (
  { control, artifacts }: Context,
  service: string,
  left: Left<StageEvidence<'train'>> | null,
): Promise<Left<TrainRecord> | null> => {
  if (left?.kind !== 'evidence') return left;
  const { champion, dataset } = left.evidence;
  try {
    const variant = await control.variant(champion);
    if (variant?.service !== service) return { kind: 'lost', because: `its champion ${champion} is not registered` };
    const { settings } = await loadVariant(artifacts, variant);
    const { candidates } = await readManifest(artifacts, dataset);
    const space = searchSpace(settings, await readCandidates(artifacts, candidates));
    return { kind: 'evidence', evidence: { ...left.evidence, space } };
  } catch (error) {
    return { kind: 'lost', because: `what it searched in cannot be read: ${messageOf(error)}` };
  }
};

const trafficOf = (rows: readonly LedgerRow[], champion: string): Traffic => {
  const answerTo = (kind: string, reason?: string) =>
    rows.find((row) => row.kind === kind && (reason === undefined || row.reason === reason))?.body;
  const answered = (step: string): string | null => {
    const body = answerTo('shift', step);
    if (body !== undefined) return body.outcome === 'done' ? 'done' : String(body.because);
    // What the policy forbids never comes to the store.
    const forbidden = rows.find((row) => row.kind === 'decision' && row.body.action === step && !row.body.allowed);
    return forbidden?.reason ?? null;
  };
  const granted = answerTo('grant');
  const state = granted?.state as { champion?: string | null } | undefined;
  const lane = granted?.outcome !== 'done' ? null : state?.champion === champion ? 'granted' : 'champion changed';
  return { lane, deploy: answered('deploy'), promote: answered('promote') };
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
