/**
 * Encoders in threads of their own, for whoever must not wait for them: texts in, vectors out.
 *
 * 1. What shares a batch follows from the texts of one call alone, so the vectors are the same to the last bit however many
 *    threads there are and whatever else they do.
 * 2. Each call works with the adapters as they were when it was made; an adapter is swapped between calls, and no session is
 *    opened for one that lies over the same layers as another before it.
 * 3. No more texts wait than the bound; who comes then is told so at once, and nothing of theirs was begun.
 */
import { extname } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { type EncoderModel, openEncoder } from '../encoder/open.ts';
import { type Adapter, adapterShape } from '../lora/adapter.ts';
import { openQuantised } from '../quantize/open.ts';
import { batchesOf, inOrder } from './batches.ts';
import type { EncoderJob, EncoderStanding } from './encoder-thread.ts';
import type { SessionChoice } from './session.ts';
import { WorkPool } from './work-pool.ts';

export interface EncoderPoolOptions {
  readonly folder: string;
  readonly choice: SessionChoice;
  readonly size: number;
  readonly adapter?: Adapter;
  /** `query`: documents are encoded by the base alone. */
  readonly adapterSide?: 'both' | 'query';
  /** Texts that may wait or be worked on, over all calls. */
  readonly mostTexts?: number;
}
export interface RunOptions {
  readonly maxLength: number;
  /** One that was added, by its name, or null for the base alone; left out, it is the one that is in use. */
  readonly adapter?: string | null;
  /** Called when some of the texts are done. */
  readonly onBatch?: () => void;
}
export interface EncodeOptions extends RunOptions {
  readonly side: 'query' | 'document';
}

/** Characters of one job: some runs of a session, so that threads are seldom idle and seldom spoken to. */
const JOB_CHARACTERS = 16_384;
/** Words of a language that the tokenizer knows are longer; what it does not know is cut into less. */
const CHARACTERS_PER_TOKEN = 4;
const MOST_TEXTS = 4_096;

const THREAD = new URL(`./encoder-thread${extname(import.meta.filename)}`, import.meta.url);

export class EncoderPool {
  readonly #model: EncoderModel;
  readonly #pool: WorkPool<EncoderJob, Float32Array>;
  readonly #adapters: Map<string, Adapter>;
  readonly #options: EncoderPoolOptions;
  /** The adapter that calls are given now, by a name that no other ever had. */
  #current: string | null;
  /** Kept for calls that name them. */
  readonly #added = new Set<string>();
  readonly #users = new Map<string, number>();
  #names = 0;
  #texts = 0;

  private constructor(
    options: EncoderPoolOptions,
    model: EncoderModel,
    pool: WorkPool<EncoderJob, Float32Array>,
    adapters: Map<string, Adapter>,
  ) {
    this.#options = options;
    this.#model = model;
    this.#pool = pool;
    this.#adapters = adapters;
    this.#current = adapters.keys().next().value ?? null;
  }

  /** Returns when every thread can encode. */
  static async open(options: EncoderPoolOptions): Promise<EncoderPool> {
    const { folder, choice, size, adapter } = options;
    const model = openQuantised(folder)?.model ?? openEncoder(folder);
    const adapters = new Map(adapter ? [['first', adapter]] : []);
    const standing = (): EncoderStanding => ({ folder, choice, adapters: [...adapters] });
    const pool = await WorkPool.open<EncoderJob, Float32Array>({ module: THREAD, standing, size });
    return new EncoderPool(options, model, pool, adapters);
  }

  get dimensions(): number {
    return this.#model.dimensions;
  }

  /** [texts × dimensions], in the order of the texts. */
  encode(texts: readonly string[], options: EncodeOptions): Promise<Float32Array> {
    const { side, maxLength } = options;
    const inUse = side === 'document' && this.#options.adapterSide === 'query' ? null : this.#current;
    const { adapter = inUse } = options;
    return this.#spread(
      texts.map(({ length }) => length),
      options,
      this.dimensions,
      adapter,
      (part) => ({ kind: 'encode', texts: part.map((at) => texts[at] as string), maxLength, adapter }),
    );
  }

  /** A score for each pair of query and text, by an adapter with a head. */
  score(pairs: readonly (readonly [string, string])[], options: RunOptions): Promise<Float32Array> {
    const { maxLength, adapter = this.#current } = options;
    if (adapter === null) {
      return Promise.reject(
        new PawlError('Usage', 'The base alone scores no pairs', { hint: 'Give the pool an adapter of a reranker.' }),
      );
    }
    return this.#spread(
      pairs.map(([query, text]) => query.length + text.length),
      options,
      1,
      adapter,
      (part) => ({
        kind: 'score',
        pairs: part.map((at) => pairs[at] as readonly [string, string]),
        maxLength,
        adapter,
      }),
    );
  }

  /** For calls from now on. One that does not fit is refused, and the one before stays. */
  async use(adapter: Adapter | null): Promise<void> {
    const before = this.#current;
    this.#current = adapter ? await this.#tell(adapter) : null;
    if (before !== null) await this.#dropUnused(before);
  }

  /** Kept beside whatever is in use, for calls that name it by what this answers. */
  async add(adapter: Adapter): Promise<string> {
    const name = await this.#tell(adapter);
    this.#added.add(name);
    return name;
  }

  /** Calls that work with it come to their end. */
  async remove(name: string): Promise<void> {
    this.#added.delete(name);
    await this.#dropUnused(name);
  }

  /** What was begun comes to its end. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #tell(adapter: Adapter): Promise<string> {
    const name = `adapter ${++this.#names}`;
    adapterShape(this.#model, adapter);
    this.#adapters.set(name, adapter);
    try {
      await this.#pool.tell({ kind: 'add', name, adapter });
    } catch (error) {
      this.#adapters.delete(name);
      throw error;
    }
    return name;
  }

  async #spread(
    lengths: readonly number[],
    { maxLength, onBatch }: RunOptions,
    width: number,
    adapter: string | null,
    jobOf: (part: readonly number[]) => EncoderJob,
  ): Promise<Float32Array> {
    this.#admit(lengths.length);
    if (adapter !== null) this.#users.set(adapter, (this.#users.get(adapter) ?? 0) + 1);
    try {
      const most = maxLength * CHARACTERS_PER_TOKEN;
      const parts = batchesOf(
        lengths.map((length) => Math.min(length, most)),
        JOB_CHARACTERS,
      );
      const rows = await Promise.all(
        parts.map(async (part) => {
          const done = await this.#pool.run(jobOf(part));
          onBatch?.();
          return done;
        }),
      );
      return inOrder(parts, rows, width);
    } finally {
      this.#texts -= lengths.length;
      if (adapter !== null) {
        this.#users.set(adapter, (this.#users.get(adapter) ?? 1) - 1);
        await this.#dropUnused(adapter);
      }
    }
  }

  #admit(texts: number): void {
    const { mostTexts = MOST_TEXTS } = this.#options;
    if (this.#texts + texts > mostTexts) {
      throw new PawlError(
        'Unavailable',
        `${this.#texts} texts are being encoded; with ${texts} more it would be over ${mostTexts}`,
        {
          hint: 'Ask again when some are done, or with fewer at once.',
        },
      );
    }
    this.#texts += texts;
  }

  /** The one that was swapped out goes when the last call that works with it is done. */
  async #dropUnused(name: string): Promise<void> {
    if (name === this.#current || this.#added.has(name)) return;
    if (!this.#adapters.has(name) || (this.#users.get(name) ?? 0) > 0) return;
    this.#adapters.delete(name);
    this.#users.delete(name);
    await this.#pool.tell({ kind: 'remove', name }).catch(() => {}); // A pool that was closed holds none.
  }
}
