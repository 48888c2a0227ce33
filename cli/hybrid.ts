/** Variants of hybrid search, as a person asks for them. */

import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { corpusSync } from '../adapters/documents/corpus-task.ts';
import { documentsPlace } from '../adapters/documents/of-environment.ts';
import { saveHybrid } from '../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../adapters/lexical/variant.ts';
import { type EncoderSource, encoderSource } from '../adapters/models/encoder-source.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { indexesOf } from '../adapters/retrieval/of-environment.ts';
import { readCorpus, readJudgedQueries } from '../adapters/service/data.ts';
import { runTask } from '../adapters/threads.ts';
import { DEFAULT_TENANT } from '../contracts/access.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { PawlError } from '../contracts/failures.ts';
import type { ChunkSettings, HybridSettings } from '../contracts/retrieval.ts';
import type { SearchSettings } from '../contracts/variant.ts';
import { CHUNK_DEFAULTS } from '../domain/chunking/chunks.ts';
import { createEncoders } from '../gateway/encoders.ts';
import { type FittedHybrid, fitHybrid } from '../gateway/fit-hybrid.ts';
import { type Described, flag } from './command.ts';
import type { Context } from './context.ts';
import { importedModel, modelNamed } from './models.ts';

const FORM = 'whole, fixed, recursive, structure or semantic, with a size where wanted: recursive:800';

export const HYBRID_OPTIONS: readonly Described[] = [
  ['--chunking <how>', `${FORM} (recursive:${CHUNK_DEFAULTS.size})`],
  [
    '--encoder <model>',
    `base model of the search by meaning, by its id or where it comes from; none leaves it out (${DEFAULT_SOURCE})`,
  ],
  ['--adapter <model>', 'adapter on the encoder, by its id'],
  [
    '--rerank',
    'learn an order of the best 20 from the judged queries, and keep it where queries that it did not see gain (off)',
  ],
  ['--threshold', 'calibrate the least similarity of what only meaning finds on the judged queries (off)'],
];

const METHODS = ['whole', 'fixed', 'recursive', 'structure', 'semantic'] as const;

export const chunking = z
  .string()
  .regex(/^(whole|(fixed|recursive|structure|semantic)(:\d{2,6})?)$/, `expected ${FORM}`)
  .default('recursive')
  .transform((text): ChunkSettings => {
    const [name, number] = text.split(':');
    const method = METHODS.find((one) => one === name) ?? 'recursive';
    const { overlap, breaks } = CHUNK_DEFAULTS;
    const size = number === undefined ? CHUNK_DEFAULTS.size : Number(number);
    if (method === 'whole') return { method };
    if (method === 'fixed') return { method, size, overlap: Math.min(overlap, Math.floor(size / 2)) };
    return method === 'semantic' ? { method, size, breaks } : { method, size };
  });

export const hybridInput = {
  chunking,
  encoder: z.string().default(DEFAULT_SOURCE),
  adapter: z.string().optional(),
  threshold: flag,
  rerank: flag,
};

export interface HybridWish {
  readonly chunking: ChunkSettings;
  readonly encoder: string;
  readonly adapter?: string | undefined;
  readonly threshold: boolean;
  readonly rerank: boolean;
  readonly lexical?: SearchSettings;
}

const LENGTHS = { query: 64, document: 256 };
const DEPTH = 50;

/** Keeps a variant whose fusion was chosen by the service's judged training queries; nobody is served by it yet. */
export async function makeHybrid(
  context: Context,
  config: ServiceConfig,
  wish: HybridWish,
  tell: (line: string) => void,
): Promise<FittedHybrid & { readonly id: string; readonly artifact: ArtifactRef }> {
  const { service } = config;
  const dense = await denseOf(context, wish, tell);
  const settings: HybridSettings = {
    chunking: wish.chunking,
    lexical: wish.lexical ?? DEFAULT_SETTINGS,
    dense,
    fusion: { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: DEPTH },
    rerank: null,
    threshold: null,
  };
  tell('reading the corpus');
  const { sha256, bytes } = await readCorpus(config);
  const corpus = { sha256, bytes: Buffer.from(bytes) };
  const documents = context.documents(service);
  await runTask(corpusSync, { ...documentsPlace(context.environment, service), tenant: DEFAULT_TENANT, corpus });
  const encoders = createEncoders({
    source: encoderSourceOf(context),
    threads: { question: availableParallelism(), documents: availableParallelism() },
  });
  try {
    const fitted = await fitHybrid(settings, await readJudgedQueries(config, 'train'), {
      ...{ service, documents, encoders, tell, threshold: wish.threshold, rerank: wish.rerank },
      artifacts: context.artifacts,
      indexes: await indexesOf(context.environment, context.paths.retrieval),
      signal: new AbortController().signal,
    });
    const kept = await saveHybrid(context.artifacts, service, fitted.settings);
    return { ...fitted, ...kept };
  } finally {
    await encoders.close();
  }
}

const denseOf = async (
  context: Context,
  { encoder, adapter: named }: HybridWish,
  tell: (line: string) => void,
): Promise<HybridSettings['dense']> => {
  if (encoder === 'none') {
    if (named === undefined) return null;
    throw new PawlError('Usage', 'An adapter lies on an encoder, and there is none.', { hint: 'Leave --adapter out.' });
  }
  const model = encoder.includes(':')
    ? (await context.models.import(encoder, { tell })).model
    : await importedModel(context.models, encoder);
  if (named === undefined) return { base: model.id, adapter: null, side: 'query', lengths: LENGTHS };
  const adapter = await modelNamed(context, named);
  const found = await encoderSourceOf(context).open({ base: model.id, adapter: adapter.model.id });
  return { base: model.id, adapter: adapter.model.id, side: found.adapterSide, lengths: LENGTHS };
};

const encoderSourceOf = (context: Context): EncoderSource =>
  encoderSource({ control: context.openControl(), artifacts: context.artifacts, cache: context.models });

/** How a fitted variant is told of in a line. */
export const describeFit = ({ settings, choice }: FittedHybrid): string => {
  const { fusion, dense } = settings;
  if (!dense) return 'by words alone';
  if (!choice) return 'words and meaning by reciprocal rank: too few judged queries to choose by';
  const won = choice.compared.find(({ kind }) => kind === choice.kind);
  const { lexical, dense: meaning } = fusion.weights;
  return `${choice.kind} (words ${lexical}, meaning ${meaning}): NDCG@10 ${won?.ndcg.toFixed(3)} on the training queries`;
};

export const describeOrder = ({ learned, settings }: FittedHybrid): string => {
  if (!learned) return 'as fused';
  const { mean, low, high } = learned.gain;
  const gain = `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] NDCG@10 on queries that it did not learn from`;
  return settings.rerank ? `learned: gains ${gain}` : `as fused: a learned one would gain ${gain}`;
};

export const describeThreshold = ({ calibrated }: FittedHybrid): string => {
  if (!calibrated) return 'off';
  if (calibrated.threshold === null) return `off: ${calibrated.because}`;
  const { threshold, relevant, irrelevant, emptied } = calibrated;
  return `${threshold}: of what only meaning found it leaves out ${irrelevant.lost} of ${irrelevant.all} that are not relevant and ${relevant.lost} of ${relevant.all} that are; ${emptied} queries would find nothing`;
};
