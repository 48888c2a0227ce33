/**
 * The encoders that the gateway's variants work with.
 *
 * 1. Variants over the same base share its sessions; an adapter is what a call names.
 * 2. Questions have a thread of their own, which no document ever keeps busy.
 * 3. An adapter is used only after it was seen to be served as it was trained.
 * 4. What nobody works with any more is closed.
 */
import type { EncoderSource } from '../adapters/models/encoder-source.ts';
import { proveParity } from '../adapters/training/parity.ts';
import { serving } from '../adapters/training/serving.ts';
import type { EncoderRef } from '../contracts/inference.ts';
import { type EncodeOptions, EncoderPool } from '../ml/session/pool.ts';

/** An encoder on loan; whoever took it gives it back. */
export interface TakenEncoder {
  readonly dimensions: number;
  question(text: string, maxLength: number): Promise<Float32Array>;
  /** [texts × dimensions]; by the base alone, or with the adapter where there is one. */
  documents(texts: readonly string[], maxLength: number, adapted: boolean): Promise<Float32Array>;
  score(pairs: readonly (readonly [string, string])[], maxLength: number): Promise<Float32Array>;
  release(): Promise<void>;
}

export interface Encoders {
  take(ref: EncoderRef): Promise<TakenEncoder>;
  close(): Promise<void>;
}

export interface EncodersDeps {
  readonly source: EncoderSource;
  /** Threads that one question, and one batch of documents, is spread over. */
  readonly threads: { readonly question: number; readonly documents: number };
}

type Opening = (folder: string) => Promise<EncoderPool>;

/** A pool that is opened by the first who needs it, and closed by the last. */
class SharedPool {
  readonly #open: () => Promise<EncoderPool>;
  #pool: Promise<EncoderPool> | null = null;
  #users = 0;

  constructor(open: () => Promise<EncoderPool>) {
    this.#open = open;
  }

  async take(): Promise<EncoderPool> {
    this.#users++;
    try {
      this.#pool ??= this.#open();
      return await this.#pool;
    } catch (error) {
      this.#pool = null;
      this.#users--;
      throw error;
    }
  }

  async release(): Promise<void> {
    if (--this.#users > 0) return;
    const pool = this.#pool;
    this.#pool = null;
    await (await pool)?.close();
  }
}

export const createEncoders = ({ source, threads }: EncodersDeps): Encoders => {
  const questions = new Map<string, SharedPool>();
  const documents = new Map<string, SharedPool>();
  const taken = new Set<TakenEncoder>();
  const shared = (pools: Map<string, SharedPool>, folder: string, open: Opening): SharedPool => {
    const pool = pools.get(folder) ?? new SharedPool(() => open(folder));
    pools.set(folder, pool);
    return pool;
  };

  const take = async ({ base, adapter: id }: EncoderRef): Promise<TakenEncoder> => {
    const { folder, adapter, adapterSide, probe } = await source.open({ base, adapter: id });
    const forQuestions = shared(questions, folder, (of) => opened(of, threads.question));
    const forDocuments = shared(documents, folder, (of) => opened(of, threads.documents));
    const pool = await forQuestions.take();
    const name = adapter ? await pool.add(adapter) : null;
    /** Opened for the first document, and kept: documents seldom come alone. */
    let indexing: Promise<{ readonly pool: EncoderPool; readonly name: string | null }> | null = null;
    const forIndexing = () => {
      indexing ??= forDocuments
        .take()
        .then(async (own) => ({ pool: own, name: adapter ? await own.add(adapter) : null }));
      return indexing;
    };

    let released = false;
    const encoder: TakenEncoder = {
      dimensions: pool.dimensions,
      question: (text, maxLength) => pool.encode([text], { side: 'query', maxLength, adapter: name }),
      documents: async (texts, maxLength, adapted) => {
        const own = await forIndexing();
        const options: EncodeOptions = { side: 'document', maxLength, adapter: adapted ? own.name : null };
        return own.pool.encode(texts, options);
      },
      score: (pairs, maxLength) => pool.score(pairs, { maxLength, adapter: name }),
      release: async () => {
        if (released) return;
        released = true;
        taken.delete(encoder);
        if (name !== null) await pool.remove(name);
        await forQuestions.release();
        const own = await indexing?.catch(() => null);
        if (!own) return;
        if (own.name !== null) await own.pool.remove(own.name);
        await forDocuments.release();
      },
    };
    taken.add(encoder);
    try {
      const sides = { query: name, document: adapterSide === 'query' ? null : name };
      if (probe) await proveParity(`The adapter ${id}`, probe, serving(pool, sides));
      return encoder;
    } catch (error) {
      await encoder.release();
      throw error;
    }
  };

  return {
    take,
    close: async () => {
      for (const encoder of [...taken]) await encoder.release();
    },
  };
};

const opened = (folder: string, threads: number): Promise<EncoderPool> =>
  EncoderPool.open({ folder, choice: { provider: 'cpu', threads, arena: true }, size: 1 });
