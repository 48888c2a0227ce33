/**
 * Pawl's side of `bench encode`, in a process of its own: the words are those of peer.py. Queries go to one encoder whose
 * operators share the threads, batches to as many encoders as there are threads; both are in threads of their own, as they serve.
 */
import { env } from 'onnxruntime-node';
import type { LoraConfig } from '../../contracts/lora.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { newAdapter } from '../../ml/lora/adapter.ts';
import { loraShape } from '../../ml/lora/shape.ts';
import { ALL_LINEAR } from '../../ml/lora/targets.ts';
import { EncoderPool } from '../../ml/session/pool.ts';
import { ServedEncoder } from '../../ml/session/served-encoder.ts';
import { answer, orders } from '../own-side.ts';

interface Setup {
  readonly model: string;
  readonly threads: number;
  readonly maxLength: number;
  readonly adapter?: boolean;
}
interface Order {
  readonly setup?: Setup;
  readonly queries?: { readonly texts: readonly string[] };
  readonly batch?: { readonly texts: readonly string[] };
  readonly vectors?: { readonly texts: readonly string[] };
  readonly adapters?: { readonly count: number };
}

const RANK_8: LoraConfig = { rank: 8, alpha: 16, dropout: 0, targets: ALL_LINEAR };
const MOST_TEXTS = 100_000;

const secondsSince = (began: number): number => (performance.now() - began) / 1_000;

class OwnSide {
  readonly #setup: Setup;
  #pool: EncoderPool | null = null;
  #size = 0;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** One shape of the pool at a time, so that the other's threads take nothing. */
  async pool(size: number): Promise<EncoderPool> {
    if (this.#pool && this.#size === size) return this.#pool;
    await this.#pool?.close();
    const { model: folder, threads, adapter } = this.#setup;
    const choice = { provider: 'cpu', threads: threads / size, arena: true } as const;
    const over = adapter ? { adapter: newAdapter(openEncoder(folder), RANK_8, 1) } : {};
    this.#size = size;
    this.#pool = await EncoderPool.open({ folder, choice, size, mostTexts: MOST_TEXTS, ...over });
    return this.#pool;
  }

  async queries(texts: readonly string[]): Promise<number[]> {
    const pool = await this.pool(1);
    const { maxLength } = this.#setup;
    const seconds: number[] = [];
    await pool.encode(texts.slice(0, 3), { side: 'query', maxLength });
    for (const text of texts) {
      const began = performance.now();
      await pool.encode([text], { side: 'query', maxLength });
      seconds.push(secondsSince(began));
    }
    return seconds;
  }

  async batch(texts: readonly string[]): Promise<number> {
    const pool = await this.pool(this.#setup.threads);
    const { maxLength } = this.#setup;
    await pool.encode(texts.slice(0, 64), { side: 'document', maxLength });
    const began = performance.now();
    await pool.encode(texts, { side: 'document', maxLength });
    return secondsSince(began);
  }

  async vectors(texts: readonly string[]): Promise<number[][]> {
    const pool = await this.pool(this.#setup.threads);
    const all = await pool.encode(texts, { side: 'document', maxLength: this.#setup.maxLength });
    return texts.map((_, at) => [...all.subarray(at * pool.dimensions, (at + 1) * pool.dimensions)]);
  }

  /** As a process that serves many of them holds them: fed to one session. */
  async adapters(count: number): Promise<{ bytes: number; layers: number }> {
    const { model: folder } = this.#setup;
    const encoder = new ServedEncoder(folder, { provider: 'cpu', threads: 1, arena: true });
    const model = openEncoder(folder);
    const add = async (n: number) => {
      encoder.addAdapter(`a${n}`, newAdapter(model, RANK_8, n));
      await encoder.encode({ texts: ['warm'], maxLength: 16, adapter: `a${n}` });
    };
    await add(0);
    const before = process.memoryUsage.rss();
    for (let n = 1; n <= count; n++) await add(n);
    const bytes = process.memoryUsage.rss() - before;
    await encoder.close();
    return { bytes, layers: loraShape(model, RANK_8).layers.size };
  }
}

let side: OwnSide | null = null;
for await (const { setup, queries, batch, vectors, adapters } of orders<Order>()) {
  if (setup) {
    side = new OwnSide(setup);
    await side.pool(1);
    const versions = { node: process.versions.node, 'onnxruntime-node': env.versions.node ?? '' };
    answer('ready', { bytes: process.memoryUsage.rss(), versions });
  } else if (side && queries) answer('timed', { seconds: await side.queries(queries.texts) });
  else if (side && batch) answer('timed', { seconds: await side.batch(batch.texts) });
  else if (side && vectors) answer('vectors', await side.vectors(vectors.texts));
  else if (side && adapters) answer('adapters', await side.adapters(adapters.count));
}
