/**
 * An encoder as it serves: texts in, vectors or scores out, with any number of adapters on the one base.
 *
 * 1. The weights are mapped from the model's file, and an adapter is what a run is fed: adapters over the same layers share a
 *    session, whatever their ranks.
 * 2. A row depends on its text and on those that share its batch, never on what was computed before.
 */
import { PawlError } from '../../contracts/failures.ts';
import { crossEncoderGraph } from '../encoder/cross-encoder.ts';
import { encoderGraph } from '../encoder/graph.ts';
import { tokenStates } from '../encoder/layers.ts';
import { type EncoderModel, openEncoder } from '../encoder/open.ts';
import { pooled } from '../encoder/pool.ts';
import { oneTextFeeds, oneTextInputs, type TokenInputs, tokenFeeds, tokenInputs } from '../encoder/tokens.ts';
import { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { type Adapter, adapterShape } from '../lora/adapter.ts';
import { adapterFeeds } from '../lora/feeds.ts';
import type { LoraShape } from '../lora/shape.ts';
import { quantisedLinear } from '../quantize/linear.ts';
import { openQuantised, type QuantisedEncoder } from '../quantize/open.ts';
import { openTokenizer, type TextTokenizer, type Tokens } from '../tokenizer/open.ts';
import { batchesOf, inOrder } from './batches.ts';
import { type Feeds, openSession, type Session, type SessionChoice } from './session.ts';

export interface TextOrder {
  readonly texts: readonly string[];
  readonly maxLength: number;
  readonly adapter: string | null;
}
export interface PairOrder {
  readonly pairs: readonly (readonly [string, string])[];
  readonly maxLength: number;
  readonly adapter: string;
}

interface Fed {
  readonly adapter: Adapter;
  readonly shape: LoraShape;
  readonly feeds: Feeds;
}

/** What a session computes, by a name that no other computation has. */
interface Computation {
  readonly key: string;
  readonly build: (graph: Graph, inputs: TokenInputs) => Tensor;
}
/** One text alone is the most frequent question there is, and needs no grid; see tokens.ts. */
type Kind = 'one text' | 'batches';

/**
 * Places of the grid of one run, padding included: enough that there is something to share between the threads of an operator,
 * and little enough that the states of a layer stay in the processor's cache.
 */
const MOST_PLACES = 2_048;
const ROWS = 'rows';

export class ServedEncoder {
  readonly model: EncoderModel;
  readonly #quantised: QuantisedEncoder | null;
  readonly #tokenizer: TextTokenizer;
  readonly #choice: SessionChoice;
  readonly #sessions = new Map<string, Promise<Session>>();
  readonly #adapters = new Map<string, Fed>();
  #opened = 0;

  constructor(folder: string, choice: SessionChoice) {
    this.#quantised = openQuantised(folder);
    this.model = this.#quantised?.model ?? openEncoder(folder);
    this.#tokenizer = openTokenizer(folder);
    this.#choice = choice;
  }

  /** How many were opened so far. */
  get sessions(): number {
    return this.#opened;
  }

  /** What is not open already is opened now, so that the first text need not wait for it. */
  async warm(): Promise<void> {
    const served =
      this.#adapters.size === 0 ? [this.#base()] : [...this.#adapters.values()].map((fed) => this.#over(fed));
    await Promise.all(served.flatMap((one) => [this.#session(one, 'one text'), this.#session(one, 'batches')]));
  }

  /** Under a name that was given before it takes the place of the one before. */
  addAdapter(name: string, adapter: Adapter): void {
    if (this.#quantised) {
      throw new PawlError('Usage', `${this.model.folder} is quantised, and takes no adapter`, {
        hint: 'Serve the adapter on the model that it was trained over.',
      });
    }
    const shape = adapterShape(this.model, adapter);
    this.#adapters.set(name, { adapter, shape, feeds: adapterFeeds(this.model, shape, adapter) });
  }

  removeAdapter(name: string): void {
    this.#adapters.delete(name);
  }

  /** [texts × dimensions] */
  async encode({ texts, maxLength, adapter }: TextOrder): Promise<Float32Array> {
    const fed = adapter === null ? null : this.#named(adapter, 'encoder');
    const tokens = this.#tokenizer.encode(texts, Math.min(maxLength, this.model.maxLength));
    return this.#run(fed ? this.#over(fed) : this.#base(), tokens, fed?.feeds ?? {}, this.model.dimensions);
  }

  /** [pairs] */
  async score({ pairs, maxLength, adapter }: PairOrder): Promise<Float32Array> {
    const fed = this.#named(adapter, 'reranker');
    const tokens = this.#tokenizer.encodePairs(pairs, Math.min(maxLength, this.model.config.positions));
    return this.#run(this.#over(fed), tokens, fed.feeds, 1);
  }

  async close(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) await (await session).close();
  }

  #named(name: string, component: Adapter['component']): Fed {
    const fed = this.#adapters.get(name);
    if (!fed) throw new PawlError('Internal', `No adapter was given as ${name}`);
    if (fed.adapter.component === component) return fed;
    throw new PawlError('Usage', `The adapter is for the ${fed.adapter.component}, and the ${component} is asked for`, {
      hint: 'An encoder gives vectors, a reranker scores pairs.',
    });
  }

  async #run(what: Computation, tokens: Tokens, feeds: Feeds, width: number): Promise<Float32Array> {
    const batches = batchesOf(tokens.lengths, MOST_PLACES);
    const starts = startsOf(tokens.lengths);
    const rows: Float32Array[] = [];
    for (const batch of batches) {
      const result = new Float32Array(batch.length * width);
      const alone = batch.length === 1;
      const session = await this.#session(what, alone ? 'one text' : 'batches');
      const part = partOf(tokens, starts, batch);
      await session.run({ ...(alone ? oneTextFeeds(part) : tokenFeeds(part)), ...feeds }, { [ROWS]: result });
      rows.push(result);
    }
    return batches.length === 1 && batches[0]?.length === 1 ? (rows[0] as Float32Array) : inOrder(batches, rows, width);
  }

  #base(): Computation {
    const { model } = this;
    const build = (graph: Graph, inputs: TokenInputs): Tensor => {
      if (!this.#quantised) return encoderGraph(graph, model, inputs, { training: false });
      return pooled(graph, model, inputs, tokenStates(graph, model, inputs, quantisedLinear(graph, this.#quantised)));
    };
    return { key: 'base', build };
  }

  #over({ shape }: Fed): Computation {
    const over = shape.component === 'reranker' ? crossEncoderGraph : encoderGraph;
    return {
      key: [shape.component, shape.decomposed, ...shape.layers.keys(), ...shape.head.keys()].join(' '),
      build: (graph, inputs) => over(graph, this.model, inputs, { adapter: shape, training: false }),
    };
  }

  #session({ key, build }: Computation, kind: Kind): Promise<Session> {
    const name = `${kind}: ${key}`;
    const known = this.#sessions.get(name);
    if (known) return known;
    const graph = new Graph();
    graph.output(ROWS, build(graph, kind === 'one text' ? oneTextInputs(graph) : tokenInputs(graph)));
    this.#opened++;
    const session = openSession(graph.toModel(), this.model.folder, this.#choice);
    this.#sessions.set(name, session);
    return session;
  }
}

const startsOf = (lengths: Int32Array): Int32Array => {
  const starts = new Int32Array(lengths.length);
  for (let row = 1; row < lengths.length; row++)
    starts[row] = (starts[row - 1] as number) + (lengths[row - 1] as number);
  return starts;
};

/** The tokens of some of the rows, in the order in which they are named. */
const partOf = ({ ids, lengths, types }: Tokens, starts: Int32Array, rows: readonly number[]): Tokens => {
  const part = Int32Array.from(rows, (row) => lengths[row] as number);
  const total = part.reduce((sum, length) => sum + length, 0);
  const gathered = (all: Int32Array): Int32Array => {
    const own = new Int32Array(total);
    let at = 0;
    for (const row of rows) {
      const start = starts[row] as number;
      own.set(all.subarray(start, start + (lengths[row] as number)), at);
      at += lengths[row] as number;
    }
    return own;
  };
  return { ids: gathered(ids), lengths: part, ...(types ? { types: gathered(types) } : {}) };
};
