/**
 * The tokens of a batch, as a graph takes them: all texts after one another, without padding. Only attention and pooling see a
 * grid [texts, longest], by two lists of places: `slots` says which token stands in each place, `places` where each token stands.
 * One text alone is its own grid: its graph takes neither list, and does none of the work that they are for.
 */
import type { Graph, Packing } from '../graph/graph.ts';
import type { Dim, Tensor } from '../graph/tensor.ts';
import type { Feeds } from '../session/session.ts';
import type { Tokens } from '../tokenizer/open.ts';

export interface TokenInputs {
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly types: Tensor;
  /** null: the graph is for one text alone. */
  readonly grid: Grid | null;
  /** Sizes, or their names: texts, and tokens of the longest. */
  readonly texts: Dim;
  readonly longest: Dim;
}
export interface Grid extends Packing {
  /** float32 [texts, longest]: 1 where a token stands. */
  readonly mask: Tensor;
}

/** `prefix` keeps apart two batches in one graph, such as queries and documents. */
export function tokenInputs(graph: Graph, prefix = ''): TokenInputs {
  const [texts, longest, tokens, places] = [`${prefix}n`, `${prefix}s`, `${prefix}tokens`, `${prefix}grid`];
  const grid = {
    places: numbers(graph, `${prefix}places`, tokens),
    slots: numbers(graph, `${prefix}slots`, places),
    mask: graph.input(`${prefix}mask`, [texts, longest]),
  };
  return { ...idInputs(graph, prefix, tokens), grid, texts, longest };
}

/** For serving: what is learned from comes in batches. */
export const oneTextInputs = (graph: Graph): TokenInputs => ({
  ...idInputs(graph, '', 'tokens'),
  grid: null,
  texts: 1,
  longest: 'tokens',
});

const numbers = (graph: Graph, name: string, size: Dim): Tensor => graph.input(name, [size], 'int64');
const idInputs = (graph: Graph, prefix: string, tokens: Dim) => ({
  ids: numbers(graph, `${prefix}ids`, tokens),
  positions: numbers(graph, `${prefix}positions`, tokens),
  types: numbers(graph, `${prefix}types`, tokens),
});

export function tokenFeeds({ ids, lengths, types }: Tokens, prefix = ''): Feeds {
  const [texts, longest, tokens] = [
    lengths.length,
    lengths.reduce((most, length) => Math.max(most, length), 0),
    ids.length,
  ];
  const positions = new BigInt64Array(tokens);
  const places = new BigInt64Array(tokens);
  const slots = new BigInt64Array(texts * longest).fill(BigInt(tokens));
  const mask = new Float32Array(texts * longest);
  let token = 0;
  lengths.forEach((length, text) => {
    for (let position = 0; position < length; position++, token++) {
      const place = text * longest + position;
      positions[token] = BigInt(position);
      places[token] = BigInt(place);
      slots[place] = BigInt(token);
      mask[place] = 1;
    }
  });
  return {
    [`${prefix}ids`]: numberFeed(BigInt64Array.from(ids, BigInt)),
    [`${prefix}positions`]: numberFeed(positions),
    [`${prefix}types`]: typeFeed(types, tokens),
    [`${prefix}places`]: numberFeed(places),
    [`${prefix}slots`]: numberFeed(slots),
    [`${prefix}mask`]: { type: 'float32', shape: [texts, longest], data: mask },
  };
}

export const oneTextFeeds = ({ ids, types }: Tokens): Feeds => ({
  ids: numberFeed(BigInt64Array.from(ids, BigInt)),
  positions: numberFeed(BigInt64Array.from(ids, (_, position) => BigInt(position))),
  types: typeFeed(types, ids.length),
});

const numberFeed = (data: BigInt64Array) => ({ type: 'int64' as const, shape: [data.length], data });
const typeFeed = (types: Int32Array | undefined, tokens: number) =>
  numberFeed(types ? BigInt64Array.from(types, BigInt) : new BigInt64Array(tokens));
