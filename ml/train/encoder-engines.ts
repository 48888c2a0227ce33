/**
 * Two ways to the gradient of a bi-encoder's batch.
 *
 * `wholeBatch` runs everything at once, and is the faster one. `microBatches` is GradCache (Gao et al., 2021): it embeds the
 * batch part by part without keeping anything, takes the gradient of the loss with respect to the embeddings, and runs each
 * part once more, forwards and backwards, with its share of that gradient. It holds the activations of one part only, and the
 * sum is the gradient of the whole batch.
 */
import { tokenFeeds } from '../encoder/tokens.ts';
import { dropoutFeeds } from '../lora/dropout.ts';
import type { Feed, Feeds, Fetched } from '../session/session.ts';
import type { Batch } from './batch.ts';
import { type Engine, type EngineOptions, gradientOutputs, open, run } from './engine.ts';
import { FrozenDocuments } from './frozen-documents.ts';
import { addTo } from './gradient.ts';
import { backwardGraph, embeddingGraph, gradientName, lossGraph, wholeGraph } from './graphs.ts';
import { encodedRows, lossFeeds } from './loss-feeds.ts';
import { checkMemory } from './memory.ts';
import { stepSeed } from './step-seed.ts';
import { lengthsOf, packed, type TokenRow } from './token-rows.ts';

export async function wholeBatch(options: EngineOptions): Promise<Engine> {
  const session = await open(wholeGraph(options), options);
  const documents = await frozenDocuments(options);
  const into = gradientOutputs(options.layout, options.gradient);
  return {
    compute: async (batch) => {
      const rows = rowsOf(batch, options);
      checkMemory(lengthsOf(rows), options);
      const feeds = {
        ...encoderFeeds(rows, batch.step, 0, options),
        ...(await feedsOfLoss(batch, options, documents)),
      };
      const { loss } = await run(session, feeds, into, options);
      return loss?.data[0] as number;
    },
    close: async () => void (await Promise.all([session.close(), documents?.close()])),
  };
}

export async function microBatches(options: EngineOptions): Promise<Engine> {
  const { layout, gradient, model } = options;
  const embedding = await open(embeddingGraph(options), options);
  const losing = await open(lossGraph(options), options);
  const backward = await open(backwardGraph(options), options);
  const documents = await frozenDocuments(options);
  const part = new Float32Array(layout.size);
  const into = gradientOutputs(layout, part);
  const width = model.dimensions;
  return {
    compute: async (batch) => {
      const rows = rowsOf(batch, options);
      const parts = partsOf(rows, batch, options);
      for (const places of parts) checkMemory(lengthsOf(chosen(rows, places)), options);
      const feedsOf = (n: number): Feeds =>
        encoderFeeds(chosen(rows, parts[n] as readonly number[]), batch.step, n, options);

      const embeddings = new Float32Array(rows.length * width);
      for (const [n, places] of parts.entries()) {
        const { data } = (await run(embedding, feedsOf(n), {}, options)).embeddings as Fetched;
        for (const [at, place] of places.entries()) {
          embeddings.set(data.subarray(at * width, (at + 1) * width), place * width);
        }
        options.onPart();
      }

      const shape = [rows.length, width];
      const upstream = new Float32Array(embeddings.length);
      const ofLoss = { embeddings: floats(shape, embeddings), ...(await feedsOfLoss(batch, options, documents)) };
      const { loss } = await run(losing, ofLoss, { [gradientName('embeddings')]: upstream }, options);

      gradient.fill(0);
      for (const [n, places] of parts.entries()) {
        const share = new Float32Array(places.length * width);
        for (const [at, place] of places.entries()) {
          share.set(upstream.subarray(place * width, (place + 1) * width), at * width);
        }
        await run(backward, { ...feedsOf(n), upstream: floats([places.length, width], share) }, into, options);
        addTo(gradient, part);
        if (n + 1 < parts.length) options.onPart();
      }
      return loss?.data[0] as number;
    },
    close: async () =>
      void (await Promise.all([embedding.close(), losing.close(), backward.close(), documents?.close()])),
  };
}

const floats = (shape: readonly number[], data: Float32Array): Feed => ({ type: 'float32', shape, data });

const frozenDocuments = async (options: EngineOptions): Promise<FrozenDocuments | null> =>
  options.plan.side === 'query' ? FrozenDocuments.open(options) : null;

/** Tokens of the rows that pass through the adapter. */
const rowsOf = (batch: Batch, { plan, tokens }: EngineOptions): TokenRow[] => {
  const texts = batch.texts.slice(0, encodedRows(batch, plan));
  const bySide = { query: [] as string[], document: [] as string[] };
  for (const { side, text } of texts) bySide[side].push(text);
  // Queries come first.
  return [...tokens.rows(bySide.query, plan.lengths.query), ...tokens.rows(bySide.document, plan.lengths.document)];
};

const feedsOfLoss = async (
  batch: Batch,
  { plan }: EngineOptions,
  documents: FrozenDocuments | null,
): Promise<Feeds> => {
  const frozen = batch.texts.slice(encodedRows(batch, plan)).map(({ text }) => text);
  return lossFeeds(batch, plan, documents ? await documents.vectors(frozen) : null);
};

/** A part is dropped the same inputs in both of its passes, and other ones than every other part. */
const encoderFeeds = (
  rows: readonly TokenRow[],
  step: number,
  part: number,
  { layout, parameters, shape, plan }: EngineOptions,
): Feeds => {
  const tokens = packed(rows);
  return {
    ...layout.feeds(parameters),
    ...tokenFeeds(tokens),
    ...dropoutFeeds(shape, tokens.ids.length, stepSeed(plan.seed, step, part)),
  };
};

/** Places of rows by part: like lengths together, and about as many tokens in each. */
const partsOf = (rows: readonly TokenRow[], batch: Batch, { plan }: EngineOptions): number[][] => {
  const count = Math.ceil(batch.queries.length / (plan.microBatch ?? plan.batch));
  const lengthAt = (place: number): number => (rows[place] as TokenRow).ids.length;
  const byLength = [...rows.keys()].toSorted((a, b) => lengthAt(a) - lengthAt(b) || a - b);
  const total = byLength.reduce((sum, place) => sum + lengthAt(place), 0);
  const parts: number[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const place of byLength) {
    parts[Math.min(count - 1, Math.floor((before * count) / total))]?.push(place);
    before += lengthAt(place);
  }
  return parts.filter(({ length }) => length > 0);
};

const chosen = (rows: readonly TokenRow[], places: readonly number[]): TokenRow[] =>
  places.map((place) => rows[place] as TokenRow);
