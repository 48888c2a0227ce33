/** Adapters that PEFT saved: what they do when trained on, when served, and when merged. */
import { join } from 'node:path';
import { encoderGraph } from '../../ml/encoder/graph.ts';
import { type EncoderModel, openEncoder } from '../../ml/encoder/open.ts';
import { tokenFeeds, tokenInputs } from '../../ml/encoder/tokens.ts';
import { Graph } from '../../ml/graph/graph.ts';
import { type Adapter, adapterShape } from '../../ml/lora/adapter.ts';
import { adapterFeeds, servedShape } from '../../ml/lora/feeds.ts';
import { loadAdapter, saveAdapter } from '../../ml/lora/files.ts';
import { mergedWeights } from '../../ml/lora/merge.ts';
import { type LoraShape, tensorShapes } from '../../ml/lora/shape.ts';
import { openSafetensors } from '../../ml/safetensors/read.ts';
import { type Feeds, openSession, type SessionChoice } from '../../ml/session/session.ts';
import { openTokenizer } from '../../ml/tokenizer/open.ts';
import { gradientName, rerankerGraph } from '../../ml/train/graphs.ts';
import { Layout } from '../../ml/train/parameters.ts';
import { listTargets, picking } from '../../ml/train/targets.ts';
import {
  type Compared,
  factsOf,
  floats,
  type References,
  relativeError,
  tensorsOf,
  under,
  worstOf,
} from './references.ts';
import { listed, PLAN } from './steps.ts';
import { MAX_LENGTH } from './texts.ts';

interface AdapterFacts {
  readonly texts: readonly string[];
  readonly cases: readonly { readonly name: string; readonly modules: readonly string[] }[];
}

export async function adapters(references: References, choice: SessionChoice): Promise<Compared[]> {
  const { texts, cases } = factsOf<AdapterFacts>(references, 'adapters');
  const expected = tensorsOf(references, 'adapters');
  const model = openEncoder(references.model);
  const tokens = tokenFeeds(openTokenizer(references.model).encode(texts, MAX_LENGTH));
  const compared: Compared[] = [];
  for (const { name, modules } of cases) {
    const adapter = loadAdapter(join(references.folder, 'adapters', name));
    const trained = adapterShape(model, adapter);
    const served = servedShape(model, 'encoder', { decomposed: trained.decomposed });
    const embeddings = floats(expected, `${name}/embeddings`);
    const off = async (shape: LoraShape, training: boolean, feeds: Feeds) =>
      relativeError(await embedded(model, { shape, training }, { ...tokens, ...feeds }, choice), embeddings);
    compared.push({
      what: `${name}: layers`,
      error: String([...trained.layers.keys()].sort()) === String(modules) ? 0 : 1,
    });
    compared.push({ what: `${name}: as it is trained`, error: await off(trained, true, parameters(adapter)) });
    compared.push({
      what: `${name}: as it is served`,
      error: await off(served, false, adapterFeeds(model, served, adapter)),
    });
    compared.push({
      what: `${name}: merged`,
      error: offMerged(mergedWeights(model, adapter), under(expected, `${name}/merged/`)),
    });
  }
  return compared;
}

const parameters = ({ tensors }: Adapter): Feeds =>
  Object.fromEntries([...tensors].map(([name, { shape, data }]) => [name, { type: 'float32', shape, data }]));

async function embedded(
  model: EncoderModel,
  { shape, training }: { readonly shape: LoraShape; readonly training: boolean },
  feeds: Feeds,
  choice: SessionChoice,
): Promise<ArrayLike<number>> {
  const graph = new Graph();
  graph.output('embeddings', encoderGraph(graph, model, tokenInputs(graph), { adapter: shape, training }));
  const session = await openSession(graph.toModel(), model.folder, choice);
  const { embeddings } = await session.run(feeds);
  await session.close();
  return embeddings?.data ?? [];
}

/** The references hold two of the weights that an adapter changes. */
const offMerged = (merged: ReadonlyMap<string, Float32Array>, expected: Record<string, Float32Array>): number =>
  worstOf(Object.fromEntries(Object.keys(expected).map((name) => [name, merged.get(name) ?? []])), expected);

interface CrossEncoderFacts {
  readonly pairs: readonly (readonly [string, string])[];
  readonly grades: readonly number[];
  readonly list: number;
  readonly loss: number;
}

/** A cross-encoder's adapter with the head in it: scores, and a step of RankNet. */
export async function crossEncoder(references: References, choice: SessionChoice): Promise<Compared[]> {
  const { pairs, grades, list, loss } = factsOf<CrossEncoderFacts>(references, 'cross-encoder');
  const expected = tensorsOf(references, 'cross-encoder');
  const model = openEncoder(references.model);
  const adapter = loadAdapter(join(references.folder, 'adapters/cross-encoder'));
  const shape = adapterShape(model, adapter);
  const graph = rerankerGraph({ model, shape, plan: { ...PLAN, component: 'reranker', loss: 'ranknet' } });
  const session = await openSession(graph.toModel(), model.folder, choice);
  const lists = Array.from({ length: pairs.length / list }, (_, n) => grades.slice(n * list, (n + 1) * list));
  const found = await session.run({
    ...tokenFeeds(openTokenizer(references.model).encodePairs(pairs, MAX_LENGTH)),
    ...parameters(adapter),
    'pick.listed': picking([...pairs.keys()], pairs.length),
    ...listTargets('ranknet', listed(lists)),
  });
  await session.close();
  const layout = new Layout(tensorShapes(shape));
  const gradient = new Float32Array(layout.size);
  layout.fill(gradient, (name) => found[gradientName(name)]?.data);
  return [
    { what: 'loss', error: relativeError(found.loss?.data ?? [], [loss]) },
    { what: 'gradient of each tensor', error: worstOf(layout.views(gradient), under(expected, 'gradient/')) },
  ];
}

/** The other way round: adapters that ml/ saves, with embeddings as PEFT reads them. `read` lets PEFT write those into the folder. */
export async function exchanged(
  { model: folder, folder: out }: References,
  choice: SessionChoice,
  read: (adapters: string) => Promise<unknown>,
): Promise<Compared[]> {
  const facts = factsOf<AdapterFacts>({ model: folder, folder: out }, 'adapters');
  const model = openEncoder(folder);
  const tokens = tokenFeeds(openTokenizer(folder).encode(facts.texts, MAX_LENGTH));
  const saved = join(out, 'saved');
  const own = facts.cases.map(({ name }) => ({ name, adapter: loadAdapter(join(out, 'adapters', name)) }));
  for (const { name, adapter } of own) saveAdapter(join(saved, name), adapter);
  await read(saved);
  const expected = openSafetensors(join(saved, 'embeddings.safetensors'));
  const compared: Compared[] = [];
  for (const { name, adapter } of own) {
    const shape = adapterShape(model, adapter);
    const found = await embedded(model, { shape, training: true }, { ...tokens, ...parameters(adapter) }, choice);
    compared.push({ what: name, error: relativeError(found, floats(expected, name)) });
  }
  return compared;
}
