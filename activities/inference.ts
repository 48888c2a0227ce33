/** Inference over whole data sets, each on a device of this worker. */
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { denseEvaluation } from '../adapters/models/dense-evaluation-task.ts';
import type { EncoderSource } from '../adapters/models/encoder-source.ts';
import { parseJsonLines } from '../adapters/service/jsonl.ts';
import { proveParity } from '../adapters/training/parity.ts';
import { serving } from '../adapters/training/serving.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { PawlError } from '../contracts/failures.ts';
import type { EncoderRef, InferenceActivities } from '../contracts/inference.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { safetensorsBytes } from '../ml/safetensors/write.ts';
import { EncoderPool } from '../ml/session/pool.ts';
import type { Devices } from './devices.ts';
import { failing } from './failure.ts';
import { rowsOf } from './partial-rows.ts';
import { runForActivity } from './threads.ts';

export interface InferenceDeps {
  readonly artifacts: ArtifactStore;
  readonly encoders: EncoderSource;
  readonly devices: Devices;
}

const Text = z.object({ id: z.string(), text: z.string() });
const Pair = z.object({ id: z.string(), query: z.string(), text: z.string() });
const Query = z.object({
  id: z.string().optional(),
  query: z.string(),
  relevant: z.record(z.string(), z.number()),
});

export const createInferenceActivities = ({ artifacts, encoders, devices }: InferenceDeps): InferenceActivities => {
  const lines = async <Shape>(ref: ArtifactRef, shape: z.ZodType<Shape>): Promise<Shape[]> => {
    const read = parseJsonLines({ name: ref.uri, text: (await artifacts.get(ref)).toString('utf8') }, shape);
    if (read.length > 0) return read;
    throw new PawlError('NoData', `${ref.uri} is empty`, { hint: 'Give one JSON object a line.' });
  };

  const onDevice = <T>(ref: EncoderRef, work: (pool: EncoderPool) => Promise<T>): Promise<T> =>
    devices.lend(async ({ choice, size }) => {
      const { folder, adapter, adapterSide, probe } = await encoders.open(ref);
      signOfLife();
      const pool = await EncoderPool.open({ folder, choice, size, adapterSide, ...(adapter ? { adapter } : {}) });
      try {
        signOfLife();
        if (probe) await proveParity(`The adapter ${ref.adapter}`, probe, serving(pool));
        return await work(pool);
      } finally {
        await pool.close();
      }
    });

  return failing({
    // Safe to repeat, by any worker: the same order gives the same vectors, and what was done already is taken up.
    encodeTexts: async (order) => {
      const texts = await lines(order.texts, Text);
      const { side, maxLength } = order;
      return onDevice(order.encoder, async (pool) => {
        const { rows: vectors } = await rowsOf(artifacts, {
          of: nameOf('encodeTexts', order),
          items: texts.length,
          width: pool.dimensions,
          rows: (from, to, onBatch) => pool.encode(textsOf(texts.slice(from, to)), { side, maxLength, onBatch }),
        });
        const embeddings = { shape: [texts.length, pool.dimensions], data: vectors };
        return {
          vectors: await artifacts.put(safetensorsBytes({ embeddings })),
          count: texts.length,
          dimensions: pool.dimensions,
        };
      });
    },

    // Safe to repeat, as above.
    scorePairs: async (order) => {
      const pairs = await lines(order.pairs, Pair);
      return onDevice(order.model, async (pool) => {
        const { rows: scores } = await rowsOf(artifacts, {
          of: nameOf('scorePairs', order),
          items: pairs.length,
          width: 1,
          rows: (from, to, onBatch) =>
            pool.score(
              pairs.slice(from, to).map(({ query, text }) => [query, text] as const),
              { maxLength: order.maxLength, onBatch },
            ),
        });
        const scored = pairs.map(({ id }, at) => ({ id, score: scores[at] as number }));
        return { scores: await artifacts.put(jsonLines(scored)), count: pairs.length };
      });
    },

    // Safe to repeat, as above.
    evaluateEncoder: async (order) => {
      const corpus = await lines(order.corpus, Text);
      const queries = (await lines(order.queries, Query)).map(({ id, query, relevant }, at) => ({
        id: id ?? `${at + 1}`,
        text: query,
        judgements: relevant,
      }));
      const { maxLength } = order;
      // Documents first, then queries, as one list that any worker can go on with.
      const {
        rows: vectors,
        cursor,
        dimensions,
      } = await onDevice(order.encoder, async (pool) => ({
        dimensions: pool.dimensions,
        ...(await rowsOf(artifacts, {
          of: nameOf('evaluateEncoder', order),
          items: corpus.length + queries.length,
          width: pool.dimensions,
          rows: async (from, to, onBatch) => {
            const documents = textsOf(corpus.slice(from, to));
            const asked = textsOf(queries.slice(Math.max(0, from - corpus.length), Math.max(0, to - corpus.length)));
            const [first, second] = await Promise.all([
              pool.encode(documents, { side: 'document', maxLength: maxLength.document, onBatch }),
              pool.encode(asked, { side: 'query', maxLength: maxLength.query, onBatch }),
            ]);
            return joined(first, second);
          },
        })),
      }));
      const border = corpus.length * dimensions;
      const scores = await runForActivity(
        denseEvaluation,
        {
          queries,
          queryVectors: { dimensions, data: vectors.slice(border) },
          ids: corpus.map(({ id }) => id),
          vectors: { dimensions, data: vectors.slice(0, border) },
        },
        () => cursor,
      );
      const perQuery = queries.map(({ id }, at) => ({ id, ndcg: scores[at] as number }));
      return {
        ndcg: scores.reduce((sum, score) => sum + score, 0) / scores.length,
        queries: queries.length,
        perQuery: await artifacts.put(jsonLines(perQuery)),
      };
    },
  });
};

/** One by one, as the proof was made: what shares a batch changes the last bits. */
/** A large model takes a while to be opened; what was done by the attempt before is not forgotten over it. */
const signOfLife = (): void => {
  const context = Context.current();
  context.heartbeat(context.info.heartbeatDetails);
};

const textsOf = (items: readonly { readonly text: string }[]): string[] => items.map(({ text }) => text);
const jsonLines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const nameOf = (activity: string, order: unknown): string =>
  createHash('sha256').update(canonicalJson({ activity, order })).digest('hex');

const joined = (a: Float32Array, b: Float32Array): Float32Array => {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};
