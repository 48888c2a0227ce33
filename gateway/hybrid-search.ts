/**
 * One question to a variant of hybrid search: both legs, fusion, the threshold, reranking, and documents in the place of
 * their parts.
 */
import { tokenisingOf } from '../adapters/hybrid/variant.ts';
import type { ChunkIndex, Legs, ScoredChunk, StoredChunk } from '../adapters/retrieval/port.ts';
import type { HybridSettings } from '../contracts/retrieval.ts';
import { type Fused, fuse } from '../domain/fusion.ts';
import type { TakenEncoder } from './encoders.ts';
import type { AskedQuery, Candidate, Reranker } from './reranker.ts';
import type { Found, Hit, SearchQuestion } from './search-engine.ts';

export interface HybridParts {
  readonly settings: HybridSettings;
  readonly index: ChunkIndex;
  readonly encoder: TakenEncoder | null;
  readonly reranker: Reranker | null;
}

/** Parts of a document that are shown with it. */
const MOST_PASSAGES = 3;

interface Ranked {
  readonly fused: Fused;
  readonly chunk: StoredChunk;
  readonly reranked: { readonly rank: number; readonly score: number } | null;
}

/** What each leg finds, as deep as the fusion goes, and the question as a vector. */
export async function legsOf(
  { settings, index, encoder }: Omit<HybridParts, 'reranker'>,
  { query, tenant, filter }: Omit<SearchQuestion, 'k'>,
): Promise<{ readonly legs: Legs; readonly vector: Float32Array | null }> {
  const { lexical, dense, fusion } = settings;
  const vector = encoder && dense ? await encoder.question(query, dense.lengths.query) : null;
  const legs = await index.search({
    ...{ tenant, filter, limit: fusion.depth },
    dense: vector && { vector },
    lexical: lexical && { query, settings: lexical },
  });
  return { legs, vector };
}

export async function hybridSearch(parts: HybridParts, question: SearchQuestion): Promise<Found> {
  const began = performance.now();
  const { settings, index } = parts;
  const { query, tenant, k } = question;
  const { fusion, threshold } = settings;
  const { legs, vector } = await legsOf(parts, question);
  const fused = fuse(legs, fusion).filter(alikeEnough(threshold));
  const wanted = fused.slice(0, Math.max(wantedParts(fused, documentsOf(legs), k), parts.reranker?.depth ?? 0));
  const ranked = await withChunks(index, tenant, wanted);
  const ordered = parts.reranker ? await reordered(parts.reranker, settings, { text: query, vector }, ranked) : ranked;
  // The legs work in threads of their own while this one waits: the time that went by is the most that it can have cost.
  return { hits: byDocument(ordered).slice(0, k), cpuMs: performance.now() - began };
}

/** What the words found is never left out. */
const alikeEnough =
  (threshold: number | null) =>
  ({ legs: { lexical, dense } }: Fused): boolean =>
    threshold === null || lexical !== null || (dense?.score ?? -1) >= threshold;

export const documentsOf = ({ lexical, dense }: { lexical: readonly ScoredChunk[]; dense: readonly ScoredChunk[] }) =>
  new Map([...lexical, ...dense].map(({ key, document }) => [key, document]));

/** So many of the best parts that `k` documents are among them. */
const wantedParts = (fused: readonly Fused[], documents: ReadonlyMap<string, string>, k: number): number => {
  const seen = new Set<string>();
  const last = fused.findIndex(({ key }) => seen.add(documents.get(key) ?? key).size === k);
  return last < 0 ? fused.length : last + 1;
};

/** What was removed since the legs were asked is left out. */
const withChunks = async (index: ChunkIndex, tenant: string, fused: readonly Fused[]): Promise<Ranked[]> => {
  const chunks = await index.chunks(
    tenant,
    fused.map(({ key }) => key),
  );
  const byKey = new Map(chunks.map((chunk) => [chunk.key, chunk]));
  return fused.flatMap((one) => {
    const chunk = byKey.get(one.key);
    return chunk ? [{ fused: one, chunk, reranked: null }] : [];
  });
};

const reordered = async (
  reranker: Reranker,
  { lexical, fusion }: HybridSettings,
  query: AskedQuery,
  ranked: readonly Ranked[],
): Promise<Ranked[]> => {
  const head = ranked.slice(0, reranker.depth);
  const candidates = head.map(
    ({ chunk, fused }): Candidate => ({ chunk, lexical: fused.legs.lexical ?? null, dense: fused.legs.dense ?? null }),
  );
  const how = { tokenising: tokenisingOf(lexical), legDepth: fusion.depth };
  const scores = await reranker.scores(query, candidates, how);
  const order = head
    .map((one, at) => ({ one, score: scores[at] ?? Number.NEGATIVE_INFINITY, at }))
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .map(({ one, score }, at) => ({ ...one, reranked: { rank: at + 1, score } }));
  return [...order, ...ranked.slice(reranker.depth)];
};

/** The best part stands for its document; what else of it was found is shown with it. */
const byDocument = (ranked: readonly Ranked[]): Hit[] => {
  const hits = new Map<string, Hit & { readonly passages: Array<NonNullable<Hit['passages']>[number]> }>();
  for (const { chunk, fused, reranked } of ranked) {
    const { start, end, headings, text } = chunk;
    const passage = { start, end, headings, text };
    const known = hits.get(chunk.document);
    if (known) {
      if (known.passages.length < MOST_PASSAGES) known.passages.push(passage);
      continue;
    }
    const why = { lexical: fused.legs.lexical ?? null, dense: fused.legs.dense ?? null, fused: fused.fused, reranked };
    const score = (reranked ?? fused.fused).score;
    hits.set(chunk.document, { id: chunk.document, score, title: chunk.title, passages: [passage], why });
  }
  return [...hits.values()];
};
