/**
 * The tokens of a batch, as a graph takes them: all texts after one another, without padding. Only attention and pooling see a
 * grid [texts, longest], by two lists of places: `slots` says which token stands in each place, `places` where each token stands.
 */
import type { Graph, Packing } from '../graph/graph.ts';
import type { Dim, Tensor } from '../graph/tensor.ts';
import type { Feeds } from '../session/session.ts';
import type { Tokens } from '../tokenizer/open.ts';

export interface TokenInputs extends Packing {
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly types: Tensor;
  /** float32 [texts, longest]: 1 where a token stands. */
  readonly mask: Tensor;
  /** Names of the sizes: texts, tokens of the longest, and tokens in all. */
  readonly texts: Dim;
  readonly longest: Dim;
  readonly tokens: Dim;
}

/** `prefix` keeps apart two batches in one graph, such as queries and documents. */
export function tokenInputs(graph: Graph, prefix = ''): TokenInputs {
  const [texts, longest, tokens, grid] = [`${prefix}n`, `${prefix}s`, `${prefix}tokens`, `${prefix}grid`];
  const numbers = (name: string, size: Dim) => graph.input(prefix + name, [size], 'int64');
  return {
    ids: numbers('ids', tokens),
    positions: numbers('positions', tokens),
    types: numbers('types', tokens),
    places: numbers('places', tokens),
    slots: numbers('slots', grid),
    mask: graph.input(`${prefix}mask`, [texts, longest]),
    texts,
    longest,
    tokens,
  };
}

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
  const numbers = (data: BigInt64Array) => ({ type: 'int64' as const, shape: [data.length], data });
  return {
    [`${prefix}ids`]: numbers(BigInt64Array.from(ids, BigInt)),
    [`${prefix}positions`]: numbers(positions),
    [`${prefix}types`]: numbers(types ? BigInt64Array.from(types, BigInt) : new BigInt64Array(tokens)),
    [`${prefix}places`]: numbers(places),
    [`${prefix}slots`]: numbers(slots),
    [`${prefix}mask`]: { type: 'float32', shape: [texts, longest], data: mask },
  };
}
