/**
 * Serving an encoder against Python's ONNX Runtime and sentence-transformers: the same texts, model and threads, taking turns in
 * one run, each side in a process of its own. Times hold the tokenizer. Beside it int8 against fp32, with what it costs in
 * NDCG@10 on Cranfield, and what an adapter adds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { PawlError } from '../contracts/failures.ts';
import { median, percentile } from '../domain/percentile.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import { SCHEMES } from '../ml/quantize/scheme.ts';
import { quantiseEncoder } from '../ml/quantize/write.ts';
import { denseNdcg } from '../ml/retrieval/dense-ndcg.ts';
import type { Vectors } from '../ml/retrieval/exact.ts';
import { atLeast, atMost, type Benchmark, explaining, type Figure } from './benchmark.ts';
import { EncodingSide } from './encode/side.ts';
import { cranfieldFolds } from './lora-gain/cranfield.ts';
import { type GainTask, textOf } from './lora-gain/task.ts';

const ROUNDS = 5;
const QUERIES = 40;
const DOCUMENTS = 96;
const BATCH = 32;
const THREADS = 2;
const MAX_LENGTH = 256;
const ADAPTERS = 50;
/** Two builds of one library round differently; anything more is another computation. */
const SAME = 1e-4;

const OWN = fileURLToPath(new URL('encode/own.ts', import.meta.url));
const PEER = fileURLToPath(new URL('encode/peer.py', import.meta.url));

interface Runner {
  readonly side: EncodingSide;
  /** Per round: the median query, and documents a second. */
  readonly query: number[];
  readonly throughput: number[];
}
const runnerOf = (side: EncodingSide): Runner => ({ side, query: [], throughput: [] });

const takeTurn = async (runner: Runner, queries: readonly string[], documents: readonly string[]): Promise<void> => {
  runner.query.push(median(await runner.side.queries(queries)));
  runner.throughput.push(documents.length / (await runner.side.batch(documents, BATCH)));
};

const checkSame = async (own: Runner, peer: Runner, texts: readonly string[]): Promise<void> => {
  const [mine, theirs] = [await own.side.vectors(texts), await peer.side.vectors(texts)];
  const off = Math.max(...mine.flatMap((row, at) => row.map((x, i) => Math.abs(x - (theirs[at]?.[i] ?? Number.NaN)))));
  if (off <= SAME) return;
  throw new PawlError('Unhealthy', `The vectors of ${own.side.name} and of ${peer.side.name} differ by ${off}.`, {
    hint: 'Both sides should encode the same texts with the same weights: one of them is wrong.',
  });
};

/** How many times as good the first is, round by round, with the spread. */
const ratio = (name: string, of: readonly number[], least?: number): Figure[] => {
  const middle = explaining(name, median(of), '×', of.length);
  return [
    least === undefined ? middle : atLeast(least, middle),
    explaining('  lowest round', percentile(of, 0), '×', of.length),
    explaining('  highest round', percentile(of, 1), '×', of.length),
  ];
};
const each = (a: readonly number[], b: readonly number[]): number[] => a.map((x, at) => x / (b[at] ?? Number.NaN));

const against = (own: Runner, peer: Runner, least?: number): Figure[] => [
  ...ratio(`query: time of ${peer.side.name} / own`, each(peer.query, own.query), least),
  ...ratio(`batches: own / ${peer.side.name}`, each(own.throughput, peer.throughput), least),
];
const absolute = ({ side, query, throughput }: Runner): Figure[] => [
  explaining(`${side.name}: p50 of a query`, median(query) * 1_000, 'ms', query.length * QUERIES),
  explaining(`${side.name}: documents`, median(throughput), 'per s', throughput.length * DOCUMENTS),
];

const ndcgOf = async ({ side }: Runner, { documents, test }: GainTask): Promise<number> => {
  const vectors = async (texts: readonly string[]): Promise<Vectors> => {
    const rows = await side.vectors(texts);
    return { data: Float32Array.from(rows.flat()), dimensions: rows[0]?.length ?? 0 };
  };
  const queries = await vectors(test.map(({ text }) => text));
  const corpus = { ids: documents.map(({ id }) => id), vectors: await vectors(documents.map(textOf)) };
  const scores = denseNdcg(test, queries, corpus);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
};

/** All folds are asked: nothing is trained here. */
const cranfield = (folder: string): GainTask => {
  const folds = cranfieldFolds(folder, 1);
  const test = folds.flatMap(({ test: fold }) => fold);
  return { documents: folds[0]?.documents ?? [], test, train: [], dropped: {} };
};

export const encode: Benchmark = {
  about: "queries and batches against Python's ONNX Runtime and sentence-transformers; int8; adapters",
  run: async (progress) => {
    const environment = readEnvironment();
    const task = cranfield(environment.cranfield ?? '.');
    const { folder } = await modelCacheOf(environment).import(DEFAULT_SOURCE, { tell: progress });
    const made = mkdtempSync(join(tmpdir(), 'pawl-bench-encode-'));
    const int8Folder = join(made, 'int8');
    const own = (name: string) => runnerOf(new EncodingSide(name, process.execPath, [OWN]));
    const python = (name: string) => runnerOf(new EncodingSide(name, environment.python, [PEER]));
    const [fp32, int8, adapted] = [own('own'), own('own as int8'), own('own with an adapter')];
    const [plain, fused, torch] = [python('onnxruntime'), python('onnxruntime fused'), python('sentence-transformers')];
    const runners = [fp32, plain, int8, fused, adapted, torch];
    try {
      progress('quantising the model, and exporting it for the peers');
      quantiseEncoder(folder, int8Folder, SCHEMES.int8);
      const common = { model: folder, threads: THREADS, maxLength: MAX_LENGTH };
      const { versions } = await fp32.side.setUp(common);
      await int8.side.setUp({ ...common, model: int8Folder });
      await adapted.side.setUp({ ...common, adapter: true });
      const exported = { ...common, folder: made };
      const { versions: theirs } = await plain.side.setUp({ ...exported, engine: 'onnxruntime' });
      await fused.side.setUp({ ...exported, engine: 'onnxruntime-fused' });
      const { versions: torchs } = await torch.side.setUp({ ...exported, engine: 'sentence-transformers' });

      const documents = task.documents.map(textOf);
      for (const peer of [plain, fused, torch]) await checkSame(fp32, peer, documents.slice(0, 16));
      for (let round = 0; round <= ROUNDS; round++) {
        progress(round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`);
        const queries = task.test.slice(0, QUERIES).map(({ text }) => text);
        const some = Array.from(
          { length: DOCUMENTS },
          (_, n) => documents[(round * DOCUMENTS + n) % documents.length] ?? '',
        );
        // Whoever begins changes, so that nobody always runs after the same one.
        const first = round % runners.length;
        for (const runner of [...runners.slice(first), ...runners.slice(0, first)])
          await takeTurn(runner, queries, some);
      }
      for (const { query, throughput } of runners) for (const rounds of [query, throughput]) rounds.shift();

      progress('NDCG@10 on Cranfield');
      const [before, after] = [await ndcgOf(fp32, task), await ndcgOf(int8, task)];
      const { bytes, layers } = await adapted.side.adapters(ADAPTERS);
      return {
        figures: [
          ...against(fp32, plain, 1),
          ...against(fp32, fused),
          ...against(fp32, torch),
          ...ratio('int8 / fp32, batches', each(int8.throughput, fp32.throughput), 2),
          ...ratio('int8 / fp32, queries', each(fp32.query, int8.query)),
          atMost(
            0.01,
            explaining('int8: loss of NDCG@10 on Cranfield', (before - after) / before, 'of it', task.test.length),
          ),
          explaining('  fp32', before, 'NDCG@10', task.test.length),
          explaining('  int8', after, 'NDCG@10', task.test.length),
          explaining(
            "an adapter's share of a query",
            median(each(adapted.query, fp32.query).map((x) => 1 - 1 / x)),
            'of it',
            ROUNDS,
          ),
          atMost(
            2,
            explaining('memory of an adapter, a layer at rank 8', bytes / ADAPTERS / layers / 2 ** 20, 'MB', ADAPTERS),
          ),
          ...runners.flatMap(absolute),
        ],
        versions: { ...versions, ...theirs, ...torchs },
      };
    } finally {
      for (const { side } of runners) side.close();
      rmSync(made, { recursive: true, force: true });
    }
  },
};
