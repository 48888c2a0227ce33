import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { comparison } from '../adapters/training/comparison-task.ts';
import type { ProbeRow } from '../adapters/training/parity.ts';
import { proof } from '../adapters/training/proof-task.ts';
import type { Judged } from '../adapters/training/ranking.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type {
  EvaluateLora,
  LoraActivities,
  LoraEvaluation,
  RegisteredAdapter,
  RegisterLora,
} from '../contracts/lora.ts';
import type { ModelCard } from '../contracts/model.ts';
import { pairedDifference } from '../domain/bootstrap.ts';
import { mean } from '../domain/intervals.ts';
import { judgeOffline } from '../domain/verdict.ts';
import { restored } from './checkpoints.ts';
import { failing } from './failure.ts';
import { inScratch } from './scratch.ts';
import { runForActivity } from './threads.ts';
import { judgedOf, type TrainingDeps } from './training-inputs.ts';
import { createTrainLegActivities } from './training-leg.ts';
import { cpuClock, usageOf } from './usage.ts';

/** What an adapter leaves in its card beside PEFT's two files: the proof that whoever serves repeats. */
export const PARITY_FILE = 'parity.json';
/** Rows of the proof: enough that a single wrong layer shows. */
const PROBED = 8;

export const createTrainingActivities = (deps: TrainingDeps): Omit<LoraActivities, 'prepareLoraData'> =>
  failing({
    ...createTrainLegActivities(deps),

    // Safe to repeat: inputs are named by digest and the bootstrap is seeded, so every attempt finds the same.
    evaluateLora: ({ input, data, trained }: EvaluateLora): Promise<LoraEvaluation> =>
      inScratch(async (folder) => {
        const spent = cpuClock();
        const { config, plan, service, id } = input;
        const { folder: model } = await deps.models.open(input.base);
        const from = await folder('from');
        await restored(deps.artifacts, [trained], from);
        const judged = await judgedOf(deps.artifacts, data.heldOut);
        const { before, after } = await runForActivity(comparison, { model, config, plan, from, judged });
        const difference = pairedDifference(before, after, { seed: plan.seed });
        const [meanBefore, meanAfter] = [before, after].map((scores) => (scores.length === 0 ? 0 : mean(scores)));
        const { verdict, reasons } = judgeOffline(meanBefore ?? 0, difference);
        const scores = judged.queries.map(({ query }, at) => ({ query, before: before[at], after: after[at] }));
        const evidence = await deps.artifacts.putJson({
          ...{ service, run: id, base: input.base, trained, heldOut: data.heldOut },
          ...{ seed: plan.seed, verdict, reasons, difference, scores },
        });
        const { low, high } = difference;
        return {
          before: meanBefore ?? 0,
          after: meanAfter ?? 0,
          low,
          high,
          queries: scores.length,
          verdict,
          reasons,
          evidence,
          usage: await usageOf(deps, service, spent()),
        };
      }),

    // Safe to repeat: the same checkpoint gives the same files, the same card and so the same id.
    registerLora: ({
      input,
      data,
      trained,
      totalSteps,
      evaluation,
      metrics,
    }: RegisterLora): Promise<RegisteredAdapter> =>
      inScratch(async (folder) => {
        const spent = cpuClock();
        const { config, plan, service, id, requestedBy, reason } = input;
        const opened = await deps.models.open(input.base);
        const [from, to] = [await folder('from'), await folder('to')];
        await restored(deps.artifacts, [trained], from);
        const rows = probeRows(
          input,
          await judgedOf(deps.artifacts, data.heldOut),
          await judgedOf(deps.artifacts, data.validation),
        );
        const { name: baseName } = opened.model;
        const proven = await runForActivity(proof, { model: opened.folder, config, plan, from, to, baseName, rows });
        const card: ModelCard = {
          kind: 'adapter',
          name: id,
          service,
          base: input.base,
          parents: input.from ? [input.base, input.from.checkpoint.sha256] : [input.base],
          files: { ...(await filesOf(deps.artifacts, to)), [PARITY_FILE]: await deps.artifacts.putJson(proven.probe) },
          data: { train: data.train, heldOut: data.heldOut.queries, examples: data.examples },
          metrics: metricsOf(evaluation),
          made: {
            ...{ run: id, config, plan, totalSteps, trained, data, evaluation, validation: metrics },
            machine: proven.machine,
          },
          parity: proven.parity,
        };
        const ref = await deps.artifacts.putJson(card);
        const model = { id: ref.sha256, kind: card.kind, name: id, service, base: input.base, card: ref };
        const createdAt = new Date(deps.now()).toISOString();
        const actor = { kind: 'lora', name: id };
        await deps.control.addModel({
          model: { ...model, createdAt },
          actor,
          reason: `${reason} (${requestedBy.name})`,
        });
        const usage = await usageOf(deps, service, spent());
        return { model: ref.sha256, card: ref, parity: proven.parity, usage };
      }),
  });

const metricsOf = ({ before, after, low, high, queries }: LoraEvaluation) => ({
  ...{ 'ndcg@10': after, 'ndcg@10 of the base': before, 'gain, low': low, 'gain, high': high },
  'held-out queries': queries,
});

/** Queries and documents that were not learned from; where there are none, a sentence of Pawl's own. */
const probeRows = ({ plan }: RegisterLora['input'], ...judged: readonly Judged[]): ProbeRow[] => {
  const queries = judged.flatMap((one) => one.queries.map(({ query }) => query)).slice(0, PROBED);
  const texts = judged.flatMap((one) => one.corpus.map(({ text }) => text)).slice(0, PROBED);
  if (queries.length === 0) queries.push('how is an adapter served as it was trained?');
  if (texts.length === 0) texts.push('The same texts are computed twice, and the results are compared.');
  if (plan.component === 'reranker')
    return queries.map((query, at) => ({ pair: [query, texts[at % texts.length] ?? ''] }));
  const documents = plan.side === 'both' ? texts.map((text) => ({ side: 'document' as const, text })) : [];
  return [...queries.map((text) => ({ side: 'query' as const, text })), ...documents];
};

const filesOf = async (artifacts: ArtifactStore, folder: string): Promise<Record<string, ArtifactRef>> => {
  const names = (await readdir(folder)).sort();
  const refs = await Promise.all(names.map(async (name) => artifacts.put(await readFile(join(folder, name)))));
  return Object.fromEntries(names.map((name, at) => [name, refs[at] as ArtifactRef]));
};
