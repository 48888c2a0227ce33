/** What each step of a search adds to NDCG@10 on Cranfield: words, meaning, both, and a learned order of the best. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { corpusSync } from '../../adapters/documents/corpus-task.ts';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { recipeOf } from '../../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import type { Legs, StoredChunk } from '../../adapters/retrieval/port.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import type { HybridContent, HybridSettings } from '../../contracts/retrieval.ts';
import { type Difference, pairedDifference } from '../../domain/bootstrap.ts';
import { type Fused, fuse } from '../../domain/fusion.ts';
import { chooseFusion } from '../../domain/fusion-choice.ts';
import { mean } from '../../domain/intervals.ts';
import { type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import { tokens } from '../../domain/tokens.ts';
import { createEncoders } from '../../gateway/encoders.ts';
import { legsOf } from '../../gateway/hybrid-search.ts';
import { recipeIndex } from '../../gateway/recipe-index.ts';
import { featuresOf } from '../../ml/rerank/features.ts';
import { type FusionPlan, openFusion, trainFusion } from '../../ml/rerank/fusion.ts';
import { explaining, type Figure } from '../benchmark.ts';
import { cranfieldFolds } from '../lora-gain/cranfield.ts';

export interface QualityDeps {
  /** Of the Cranfield collection. */
  readonly cranfield: string;
  readonly model: { readonly id: string; readonly folder: string };
  readonly progress: (line: string) => void;
}

type Leg = keyof Legs;

interface Searched {
  readonly query: JudgedQuery;
  readonly legs: Legs;
  readonly fused: readonly Fused[];
  readonly chunks: ReadonlyMap<string, StoredChunk>;
}

const SEED = 1;
const DEPTH = 50;
const RERANKED = 20;
const HOW = { stemming: false, splitIdentifiers: false };
const PLAN: FusionPlan = {
  ...{ hidden: [], loss: 'lambdarank', steps: 80, batch: 32, learningRate: 0.03 },
  ...{ warmup: 5, decay: 'linear', weightDecay: 0.01, clip: 1, seed: SEED },
};

export async function quality({ cranfield, model, progress }: QualityDeps): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-quality-'));
  const settings: HybridSettings = {
    chunking: { method: 'whole' },
    lexical: { ...DEFAULT_SETTINGS, ...HOW },
    dense: { base: model.id, adapter: null, side: 'query', lengths: { query: 64, document: 256 } },
    fusion: { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: DEPTH },
    rerank: null,
    threshold: null,
  };
  const threads = { question: availableParallelism(), documents: availableParallelism() };
  const encoders = createEncoders({
    threads,
    source: { open: async () => ({ folder: model.folder, adapter: null, adapterSide: 'both', probe: null }) },
  });
  const path = join(folder, 'documents.db');
  const documents = sqliteDocuments(path);
  const content: HybridContent = { kind: 'hybrid', service: 'cranfield', settings, recipe: recipeOf(settings) };
  const index = recipeIndex({
    ...{ content, documents, encoders, indexes: embeddedIndexes(folder), signal: new AbortController().signal },
    onStep: (seq) => seq % 320 === 0 && progress(`Cranfield: ${seq} documents embedded`),
  });
  try {
    const bytes = readFileSync(join(cranfield, 'corpus.jsonl'));
    await corpusSync.work(
      { path, tenant: DEFAULT_TENANT, corpus: { sha256: 'cranfield', bytes } },
      () => {},
      () => {},
    );
    await index.takeUp();
    const folds = cranfieldFolds(cranfield, SEED).map(({ test }) => test);
    const encoder = await encoders.take({ base: model.id, adapter: null });
    const searched: Searched[][] = [];
    for (const [at, fold] of folds.entries()) {
      progress(`Cranfield: asking fold ${at + 1} of ${folds.length}`);
      const found: Searched[] = [];
      for (const query of fold) {
        found.push(
          await index.ask(async (now) => {
            const question = { query: query.text, tenant: DEFAULT_TENANT, filter: {} };
            const legs = await legsOf({ settings, index: now, encoder }, question);
            const fused = fuse<Leg>(legs, settings.fusion);
            const chunks = await now.chunks(
              DEFAULT_TENANT,
              fused.slice(0, RERANKED).map(({ key }) => key),
            );
            return { query, legs, fused, chunks: new Map(chunks.map((chunk) => [chunk.key, chunk])) };
          }),
        );
      }
      searched.push(found);
    }
    return await figuresOf(searched, progress);
  } finally {
    await index.close();
    await encoders.close();
    documents.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function figuresOf(folds: readonly Searched[][], progress: (line: string) => void): Promise<Figure[]> {
  const all = folds.flat();
  const leg = (name: Leg) =>
    all.map(({ query, legs }) => ndcg(unique(legs[name].map(({ document }) => document)), query.judgements));
  const [words, meaning] = [leg('lexical'), leg('dense')];
  const fused = all.map(({ query, fused: order, legs }) => ndcg(documentsOf(order, legs), query.judgements));
  const chosen: number[] = [];
  const reranked: number[] = [];
  for (const [at, test] of folds.entries()) {
    progress(`Cranfield: learning from the other folds, ${at + 1} of ${folds.length}`);
    const train = folds.filter((fold) => fold !== test).flat();
    const choice = chooseFusion(
      train.map(({ query, legs }) => ({ legs, judgements: query.judgements })),
      { depth: DEPTH, seed: SEED },
    );
    for (const { query, legs, fused: order } of test) {
      const own = choice ? fuse<Leg>(legs, choice.settings) : order;
      chosen.push(ndcg(documentsOf(own, legs), query.judgements));
    }
    const network = await trainFusion(train.map(gradedOf), PLAN);
    const open = await openFusion(network);
    for (const one of test) reranked.push(ndcg(await rerankedOf(one, open), one.query.judgements));
    await open.close();
  }
  const n = all.length;
  const over = (name: string, of: readonly number[], base: readonly number[]): Figure[] => {
    const { mean: gain, low, high }: Difference = pairedDifference(base, of, { seed: SEED });
    return [
      explaining(`  ${name}, gain`, gain, 'NDCG@10', n),
      explaining('    low', low, 'NDCG@10', n),
      explaining('    high', high, 'NDCG@10', n),
    ];
  };
  return [
    explaining('Cranfield: by words (BM25)', mean(words), 'NDCG@10', n),
    explaining('Cranfield: by meaning', mean(meaning), 'NDCG@10', n),
    explaining('Cranfield: both by reciprocal rank', mean(fused), 'NDCG@10', n),
    ...over('over words', fused, words),
    ...over('over meaning', fused, meaning),
    explaining('Cranfield: both as chosen by the other folds', mean(chosen), 'NDCG@10', n),
    ...over('over reciprocal rank', chosen, fused),
    explaining(`Cranfield: the best ${RERANKED} in a learned order`, mean(reranked), 'NDCG@10', n),
    ...over('over reciprocal rank', reranked, fused),
  ];
}

const unique = (ids: readonly string[]): string[] => [...new Set(ids)];

const documentsOf = (fused: readonly Fused[], legs: Legs): string[] => {
  const documents = new Map([...legs.lexical, ...legs.dense].map(({ key, document }) => [key, document]));
  return unique(fused.map(({ key }) => documents.get(key) ?? key));
};

/** What a reranker is shown of a query, as the gateway shows it. */
const candidatesOf = ({ query, fused, chunks }: Searched) => {
  const head = fused.slice(0, RERANKED).filter(({ key }) => chunks.has(key));
  const sources = head.map(({ key, legs }) => {
    const { title = '', text = '' } = chunks.get(key) ?? {};
    const ofTitle = tokens(title, HOW);
    return { lexical: legs.lexical, dense: legs.dense, title: ofTitle, tokens: [...ofTitle, ...tokens(text, HOW)] };
  });
  return { head, features: featuresOf(tokens(query.text, HOW), sources, DEPTH + 1) };
};

const gradedOf = (searched: Searched) => {
  const { head, features } = candidatesOf(searched);
  const { judgements } = searched.query;
  return {
    features,
    grades: head.map(({ key }) => Math.max(0, judgements[searched.chunks.get(key)?.document ?? ''] ?? 0)),
  };
};

const rerankedOf = async (searched: Searched, open: Awaited<ReturnType<typeof openFusion>>): Promise<string[]> => {
  const { head, features } = candidatesOf(searched);
  const scores = await open.scores(features);
  const order = head
    .map(({ key }, at) => ({ key, score: scores[at] ?? 0, at }))
    .sort((a, b) => b.score - a.score || a.at - b.at);
  const rest = documentsOf(searched.fused.slice(RERANKED), searched.legs);
  return unique([...order.map(({ key }) => searched.chunks.get(key)?.document ?? ''), ...rest]);
};
