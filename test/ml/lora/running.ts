/** Graphs with adapters, run on a tiny model. */
import type { LoraConfig } from '../../../contracts/lora.ts';
import { seeded } from '../../../domain/random.ts';
import { crossEncoderGraph } from '../../../ml/encoder/cross-encoder.ts';
import { encoderGraph } from '../../../ml/encoder/graph.ts';
import { type EncoderModel, openEncoder } from '../../../ml/encoder/open.ts';
import { tokenFeeds, tokenInputs } from '../../../ml/encoder/tokens.ts';
import { Graph } from '../../../ml/graph/graph.ts';
import { type Adapter, adapterShape, newAdapter } from '../../../ml/lora/adapter.ts';
import { type Feeds, openSession } from '../../../ml/session/session.ts';
import { openTokenizer } from '../../../ml/tokenizer/open.ts';
import { tinyFolder } from '../../support/model-folder.ts';

export const CONFIG: LoraConfig = { rank: 4, alpha: 8, dropout: 0, targets: 'all-linear' };
export const TEXTS = ['how to read a file', 'cat', 'the first line of a large document is true or not'];
const PAIRS = TEXTS.map((text) => ['search query', text] as const);
const ON_ONE_THREAD = { provider: 'cpu', threads: 1, arena: true } as const;

export const tinyEncoder = (seed = 1): EncoderModel => openEncoder(tinyFolder({ seed }));

/** As if it had been trained: nothing in it is zero. */
export function trainedAdapter(
  model: EncoderModel,
  config: Partial<LoraConfig> = {},
  { seed = 1, component = 'encoder' as Adapter['component'] } = {},
): Adapter {
  const adapter = newAdapter(model, { ...CONFIG, ...config }, seed, component);
  const random = seeded(seed);
  const moved = [...adapter.tensors].map(
    ([name, { shape, data }]) => [name, { shape, data: data.map((value) => value + 0.2 * (random() - 0.5)) }] as const,
  );
  return { ...adapter, tensors: new Map(moved) };
}

export const parameterFeeds = ({ tensors }: Adapter): Feeds =>
  Object.fromEntries([...tensors].map(([name, tensor]) => [name, { type: 'float32', ...tensor }]));

/** What the graph that is trained gives. */
export const trainedOutput = (model: EncoderModel, adapter: Adapter, feeds: Feeds = {}): Promise<number[]> =>
  run(model, adapterShape(model, adapter), { ...parameterFeeds(adapter), ...feeds }, true);

type Shape = ReturnType<typeof adapterShape>;

export async function run(model: EncoderModel, shape: Shape | null, feeds: Feeds, training = false): Promise<number[]> {
  const graph = new Graph();
  const inputs = tokenInputs(graph);
  const pairs = shape?.component === 'reranker';
  const output = pairs
    ? crossEncoderGraph(graph, model, inputs, { adapter: shape, training })
    : encoderGraph(graph, model, inputs, { ...(shape ? { adapter: shape } : {}), training });
  graph.output('out', output);
  const { out } = await runGraph(model, graph, { ...tokensOf(model, pairs), ...feeds });
  return out ?? [];
}

export async function runGraph(
  model: EncoderModel,
  graph: Graph,
  feeds: Feeds,
): Promise<Readonly<Record<string, number[]>>> {
  const session = await openSession(graph.toModel(), model.folder, ON_ONE_THREAD);
  const results = await session.run(feeds);
  const copied = Object.entries(results).map(([name, { data }]) => [name, Array.from(data)] as const);
  await session.close();
  return Object.fromEntries(copied);
}

export const tokensOf = (
  { folder }: EncoderModel,
  pairs = false,
  texts: readonly string[] = TEXTS,
  prefix = '',
): Feeds => {
  const tokenizer = openTokenizer(folder);
  return tokenFeeds(pairs ? tokenizer.encodePairs(PAIRS, 32) : tokenizer.encode(texts, 32), prefix);
};

export const furthest = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number)))) : Number.NaN;
