/**
 * How well a model ranks, adapter or not: NDCG@10 of each query by exact search. A reranker orders what the base model finds
 * first, and is held against that order.
 */
import type { HeldOutQuery, TrainingPlan } from '../../contracts/lora.ts';
import { DEPTH, ndcg } from '../../domain/rank-metrics.ts';
import type { CorpusText } from '../../domain/training-data.ts';
import type { Adapter } from '../../ml/lora/adapter.ts';
import { nearest, type Vectors } from '../../ml/retrieval/exact.ts';
import { ServedEncoder } from '../../ml/session/served-encoder.ts';

export interface Judged {
  readonly queries: readonly HeldOutQuery[];
  readonly corpus: readonly CorpusText[];
}
type Plan = Pick<TrainingPlan, 'component' | 'side' | 'lengths' | 'threads' | 'mode'>;

/** Texts of one call; after each the heart beats. */
const AT_ONCE = 128;
/** What a reranker is given of each query. */
const RERANKED = 20;
const ADAPTER = 'trained';

export class Ranking {
  readonly #encoder: ServedEncoder;
  readonly #plan: Plan;
  readonly #adapter: Adapter | null;
  readonly #tick: () => void;
  #documents: Vectors | null = null;

  constructor(folder: string, plan: Plan, adapter: Adapter | null, tick: () => void) {
    this.#encoder = new ServedEncoder(folder, { provider: 'cpu', threads: plan.threads, arena: plan.mode === 'fast' });
    this.#plan = plan;
    this.#adapter = adapter;
    this.#tick = tick;
    if (adapter) this.#encoder.addAdapter(ADAPTER, adapter);
  }

  /** In the order of the queries; with the base model alone, or with the adapter. */
  async scores(judged: Judged, adapted: boolean): Promise<number[]> {
    const { component, side } = this.#plan;
    if (judged.queries.length === 0) return [];
    const encodes = adapted && this.#adapter !== null && component === 'encoder';
    const queries = await this.#encode(
      judged.queries.map(({ query }) => query),
      'query',
      encodes,
    );
    const documents = await this.#corpus(judged.corpus, encodes && side === 'both');
    const reranks = adapted && this.#adapter !== null && component === 'reranker';
    const { rows } = nearest(queries, documents, reranks ? RERANKED : DEPTH);
    const ranked: number[] = [];
    for (const [at, { query, relevant }] of judged.queries.entries()) {
      const found = Array.from(rows[at] ?? [], (row) => judged.corpus[row]).filter((one) => one !== undefined);
      ranked.push(
        ndcg(
          (reranks ? await this.#reranked(query, found) : found).map(({ id }) => id),
          relevant,
        ),
      );
    }
    return ranked;
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }

  /** Documents that keep their vectors are encoded once. */
  async #corpus(corpus: readonly CorpusText[], adapted: boolean): Promise<Vectors> {
    const texts = corpus.map(({ text }) => text);
    if (adapted) return this.#encode(texts, 'document', true);
    this.#documents ??= await this.#encode(texts, 'document', false);
    return this.#documents;
  }

  async #reranked(query: string, found: readonly CorpusText[]): Promise<readonly CorpusText[]> {
    const { query: ofQuery, document } = this.#plan.lengths;
    const pairs = found.map(({ text }) => [query, text] as const);
    const scores = await this.#encoder.score({ pairs, maxLength: ofQuery + document, adapter: ADAPTER });
    this.#tick();
    const order = found.map((text, at) => ({ text, score: scores[at] ?? 0 }));
    return order.sort((a, b) => b.score - a.score).map(({ text }) => text);
  }

  async #encode(texts: readonly string[], side: 'query' | 'document', adapted: boolean): Promise<Vectors> {
    const { dimensions } = this.#encoder.model;
    const data = new Float32Array(texts.length * dimensions);
    const maxLength = this.#plan.lengths[side];
    for (let from = 0; from < texts.length; from += AT_ONCE) {
      const order = { texts: texts.slice(from, from + AT_ONCE), maxLength, adapter: adapted ? ADAPTER : null };
      data.set(await this.#encoder.encode(order), from * dimensions);
      this.#tick();
    }
    return { data, dimensions };
  }
}
