/** Vectors of documents by the base model, each computed once: with an adapter on queries alone, they never change. */
import { tokenFeeds } from '../encoder/tokens.ts';
import type { Feed, Fetched, Session } from '../session/session.ts';
import { type EngineOptions, open, run } from './engine.ts';
import { embeddingGraph } from './graphs.ts';
import { packed } from './token-rows.ts';

export class FrozenDocuments {
  readonly #session: Session;
  readonly #options: EngineOptions;
  readonly #known = new Map<string, Float32Array>();

  private constructor(session: Session, options: EngineOptions) {
    this.#session = session;
    this.#options = options;
  }

  static async open(options: EngineOptions): Promise<FrozenDocuments> {
    return new FrozenDocuments(await open(embeddingGraph({ ...options, shape: null }), options), options);
  }

  async vectors(texts: readonly string[]): Promise<Feed> {
    const { tokens, plan, model } = this.#options;
    const missing = [...new Set(texts)].filter((text) => !this.#known.has(text));
    if (missing.length > 0) {
      const rows = tokens.rows(missing, plan.lengths.document);
      const { data: vectors } = (await run(this.#session, tokenFeeds(packed(rows)), {}, this.#options))
        .embeddings as Fetched;
      for (const [n, text] of missing.entries()) {
        this.#known.set(text, vectors.slice(n * model.dimensions, (n + 1) * model.dimensions));
      }
    }
    const data = new Float32Array(texts.length * model.dimensions);
    for (const [n, text] of texts.entries()) data.set(this.#known.get(text) as Float32Array, n * model.dimensions);
    return { type: 'float32', shape: [texts.length, model.dimensions], data };
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
