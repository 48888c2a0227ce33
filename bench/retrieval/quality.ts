/** What each step of a search adds to NDCG@10 on Cranfield: words, meaning, both, and a learned order of the best. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { corpusSync } from '../../adapters/documents/corpus-task.ts';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { recipeOf, tokenisingOf } from '../../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import type { FusionSettings, HybridContent, HybridSettings } from '../../contracts/retrieval.ts';
import { type Difference, pairedDifference } from '../../domain/bootstrap.ts';
import { fuse } from '../../domain/fusion.ts';
import { chooseFusion, type JudgedLegs } from '../../domain/fusion-choice.ts';
import { folds } from '../../domain/held-out.ts';
import { mean } from '../../domain/intervals.ts';
import { type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import { createEncoders } from '../../gateway/encoders.ts';
import { shownOf } from '../../gateway/fit-hybrid.ts';
import { documentsOf, legsOf } from '../../gateway/hybrid-search.ts';
import { type LearnedOrder, learnOrder } from '../../gateway/learned-order.ts';
import { recipeIndex } from '../../gateway/recipe-index.ts';
import { explaining, type Figure } from '../benchmark.ts';
import { cranfieldFolds } from '../lora-gain/cranfield.ts';

type Leg = 'lexical' | 'dense';

export interface QualityDeps {
  /** Of the Cranfield collection. */
  readonly cranfield: string;
  readonly model: { readonly id: string; readonly folder: string };
  readonly progress: (line: string) => void;
}

const SEED = 1;
const DEPTH = 50;
const RERANKED = 20;
const FOLDS = 5;

export async function quality({ cranfield, model, progress }: QualityDeps): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-quality-'));
  const settings: HybridSettings = {
    chunking: { method: 'whole' },
    lexical: DEFAULT_SETTINGS,
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
    const judged = cranfieldFolds(cranfield, SEED).flatMap(({ test }) => test);
    const encoder = await encoders.take({ base: model.id, adapter: null });
    return await index.ask(async (now) => {
      const queries: JudgedLegs<Leg>[] = [];
      const vectors: (Float32Array | null)[] = [];
      for (const { text: query, judgements } of judged) {
        const question = { query, tenant: DEFAULT_TENANT, filter: {} };
        const { legs, vector } = await legsOf({ settings, index: now, encoder }, question);
        queries.push({ legs: { lexical: legs.lexical, dense: legs.dense }, judgements });
        vectors.push(vector);
      }
      progress('Cranfield: every question is asked');
      const how = { tokenising: tokenisingOf(settings.lexical), legDepth: DEPTH };
      const learned = await learnOrder(await shownOf(now, judged, queries, vectors, settings.fusion), how, {
        seed: SEED,
        tell: (line) => progress(`Cranfield: ${line}`),
      });
      return figuresOf(judged, queries, settings.fusion, learned);
    });
  } finally {
    await index.close();
    await encoders.close();
    documents.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figuresOf(
  judged: readonly JudgedQuery[],
  queries: readonly JudgedLegs<Leg>[],
  fusion: FusionSettings,
  learned: LearnedOrder | null,
): Figure[] {
  const by = (ranked: (query: JudgedLegs<Leg>) => readonly string[]): number[] =>
    queries.map((query) => ndcg(ranked(query), query.judgements));
  const [words, meaning] = [by(({ legs }) => idsOf(legs.lexical)), by(({ legs }) => idsOf(legs.dense))];
  const fused = by((query) => fusedBy(query, fusion));
  // Each query by what the other folds chose.
  const chosen = new Map<JudgedLegs<Leg>, FusionSettings>();
  const named = queries.map((query, at) => ({ id: judged[at]?.id ?? '', query }));
  for (const held of folds(named, FOLDS, SEED)) {
    const others = named.filter((one) => !held.includes(one)).map(({ query }) => query);
    const choice = chooseFusion(others, { depth: DEPTH, seed: SEED });
    for (const { query } of held) chosen.set(query, choice?.settings ?? fusion);
  }
  const measured = by((query) => fusedBy(query, chosen.get(query) ?? fusion));

  const n = queries.length;
  const gain = (name: string, { mean: value, low, high }: Difference): Figure[] => [
    explaining(`  ${name}, gain`, value, 'NDCG@10', n),
    explaining('    low', low, 'NDCG@10', n),
    explaining('    high', high, 'NDCG@10', n),
  ];
  const over = (base: readonly number[], of: readonly number[]): Difference =>
    pairedDifference(base, of, { seed: SEED });
  return [
    explaining('Cranfield: by words (BM25)', mean(words), 'NDCG@10', n),
    explaining('Cranfield: by meaning', mean(meaning), 'NDCG@10', n),
    explaining('Cranfield: both by reciprocal rank', mean(fused), 'NDCG@10', n),
    ...gain('over words', over(words, fused)),
    ...gain('over meaning', over(meaning, fused)),
    explaining('Cranfield: both as the other folds chose', mean(measured), 'NDCG@10', n),
    ...gain('over reciprocal rank', over(fused, measured)),
    ...(learned
      ? [
          explaining(`Cranfield: the best ${RERANKED} in a learned order`, mean(learned.after), 'NDCG@10', n),
          ...gain('over reciprocal rank', learned.gain),
        ]
      : []),
  ];
}

const idsOf = (hits: readonly { readonly document: string }[]): string[] => [
  ...new Set(hits.map(({ document }) => document)),
];

const fusedBy = ({ legs }: JudgedLegs<Leg>, settings: FusionSettings): string[] => {
  const documents = documentsOf(legs);
  return [...new Set(fuse(legs, settings).map(({ key }) => documents.get(key) ?? key))];
};
