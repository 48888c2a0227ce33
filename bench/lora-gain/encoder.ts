/** The encoder under test, in threads of its own, with the adapter that is on trial. */
import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import type { Adapter } from '../../ml/lora/adapter.ts';
import { denseNdcg } from '../../ml/retrieval/dense-ndcg.ts';
import type { Vectors } from '../../ml/retrieval/exact.ts';
import { EncoderPool } from '../../ml/session/pool.ts';
import { type GainTask, textOf } from './task.ts';

/** In training and in evaluation alike. */
export const LENGTHS = { query: 64, document: 192 } as const;
const THREADS = 2;
const MOST_TEXTS = 20_000;

export class GainEncoder {
  readonly #pool: EncoderPool;

  private constructor(pool: EncoderPool) {
    this.#pool = pool;
  }

  static async open(folder: string): Promise<GainEncoder> {
    const choice = { provider: 'cpu', threads: 1, arena: true } as const;
    return new GainEncoder(await EncoderPool.open({ folder, choice, size: THREADS, mostTexts: MOST_TEXTS }));
  }

  /** null: the base model alone. */
  use(adapter: Adapter | null): Promise<void> {
    return this.#pool.use(adapter);
  }

  documents(task: GainTask): Promise<Vectors> {
    return this.#vectors(task.documents.map(textOf), 'document');
  }

  queries(queries: readonly JudgedQuery[]): Promise<Vectors> {
    return this.#vectors(
      queries.map(({ text }) => text),
      'query',
    );
  }

  /** NDCG@10 of each query that is held out. */
  async scores(task: GainTask, vectors: Vectors, queries = task.test): Promise<number[]> {
    return denseNdcg(queries, await this.queries(queries), { ids: task.documents.map(({ id }) => id), vectors });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #vectors(texts: readonly string[], side: 'query' | 'document'): Promise<Vectors> {
    const data = await this.#pool.encode(texts, { side, maxLength: LENGTHS[side] });
    return { data, dimensions: this.#pool.dimensions };
  }
}
