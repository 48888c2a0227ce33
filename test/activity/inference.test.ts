import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { Devices, type Lent } from '../../activities/devices.ts';
import { createInferenceActivities } from '../../activities/inference.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { claiming } from '../../adapters/device-claims.ts';
import type { EncoderSource } from '../../adapters/models/encoder-source.ts';
import type { ParityProbe } from '../../adapters/training/parity.ts';
import type { EncodeOrder, EncoderEvaluationOrder, ScoreOrder } from '../../contracts/inference.ts';
import '../../drills/quiet-runtime.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { newAdapter } from '../../ml/lora/adapter.ts';
import { openSafetensors, readFloats } from '../../ml/safetensors/read.ts';
import { parseDevices } from '../../ml/session/device.ts';
import { ServedEncoder } from '../../ml/session/served-encoder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TINY_VOCABULARY, tinyModel } from '../support/tiny-model.ts';

const ENCODER = { base: 'b'.repeat(64), adapter: null };
const TEXTS = TINY_VOCABULARY.slice(60, 160).flatMap((word) => [
  `the ${word}`,
  `where is a ${word} of the house?`,
  word,
]);
const cpu = () => new Devices(parseDevices('cpu:0') ?? [], 1);

const scene = () => {
  const folder = temporaryFolder();
  const artifacts = folderArtifacts(join(folder, 'artifacts'));
  const model = tinyModel(join(folder, 'model'));
  const opened: number[] = [];
  const encoders: EncoderSource = {
    open: async () => {
      opened.push(1);
      return { folder: model, adapter: null, adapterSide: 'both', probe: null };
    },
  };
  const activities = createInferenceActivities({ artifacts, encoders, devices: cpu() });
  const lines = (rows: readonly unknown[]) => artifacts.put(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const textsOf = (texts: readonly string[]) => lines(texts.map((text, n) => ({ id: `t${n}`, text })));
  return { folder, artifacts, model, activities, encoders, lines, textsOf, opened };
};

const run = async <I, O>(
  activity: (input: I) => Promise<O>,
  input: I,
  options: { heartbeatDetails?: unknown; onHeartbeat?: (details: unknown) => void } = {},
): Promise<O> => {
  const env = new MockActivityEnvironment({ heartbeatDetails: options.heartbeatDetails });
  env.on('heartbeat', (details: unknown) => options.onHeartbeat?.(details));
  return env.run<[I], O, (input: I) => Promise<O>>(activity, input);
};

test('texts become one tensor of vectors, in their order', async () => {
  const { folder, artifacts, activities, model, textsOf } = scene();
  const order: EncodeOrder = { encoder: ENCODER, texts: await textsOf(TEXTS), side: 'document', maxLength: 32 };
  const encoded = await run(activities.encodeTexts, order);
  expect(encoded).toMatchObject({ count: TEXTS.length, dimensions: 32 });
  writeFileSync(join(folder, 'vectors.safetensors'), await artifacts.get(encoded.vectors));
  const stored = openSafetensors(join(folder, 'vectors.safetensors')).tensors.get('embeddings');
  expect(stored?.shape).toEqual([TEXTS.length, 32]);
  const vectors = stored ? readFloats(stored) : new Float32Array();
  const served = new ServedEncoder(model, { provider: 'cpu', threads: 1, arena: true });
  const last = await served.encode({ texts: [TEXTS.at(-1) ?? ''], maxLength: 32, adapter: null });
  for (const [at, value] of last.entries()) expect(vectors.at(at - 32)).toBeCloseTo(value, 5);
  await served.close();
});

test('work that was left in the middle goes on there, and ends with the bytes of an undisturbed run', async () => {
  const { activities, textsOf } = scene();
  const order: EncodeOrder = { encoder: ENCODER, texts: await textsOf(TEXTS), side: 'query', maxLength: 32 };
  const cursors: ({ done: number } | undefined)[] = [];
  const undisturbed = await run(activities.encodeTexts, order, {
    onHeartbeat: (cursor) => cursors.push(cursor as { done: number } | undefined),
  });
  const left = cursors.find((cursor) => (cursor?.done ?? 0) > 0);
  expect(left?.done).toBeLessThan(TEXTS.length);
  const again: number[] = [];
  const resumed = await run(activities.encodeTexts, order, {
    heartbeatDetails: left,
    onHeartbeat: (cursor) => again.push((cursor as { done: number }).done),
  });
  expect(resumed).toEqual(undisturbed);
  expect(Math.min(...again)).toBe(left?.done);
});

test('a cursor of other work is not used', async () => {
  const { activities, textsOf } = scene();
  const order: EncodeOrder = { encoder: ENCODER, texts: await textsOf(TEXTS), side: 'query', maxLength: 32 };
  const cursors: unknown[] = [];
  await run(activities.encodeTexts, order, { onHeartbeat: (cursor) => cursors.push(cursor) });
  const other = { ...order, texts: await textsOf(TEXTS.toReversed()) };
  const plain = await run(activities.encodeTexts, other);
  expect(await run(activities.encodeTexts, other, { heartbeatDetails: cursors.at(-1) })).toEqual(plain);
  const gone = {
    ...(cursors.at(-1) as object),
    last: { uri: `artifact:sha256/${'0'.repeat(64)}`, sha256: '0'.repeat(64) },
  };
  expect((await run(activities.encodeTexts, order, { heartbeatDetails: gone })).count).toBe(TEXTS.length);
});

test('an encoder is evaluated on judged queries: what it finds first counts', async () => {
  const { activities, lines, textsOf, artifacts } = scene();
  const corpus = ['the blue bird', 'open the file and read a line', 'a cat in the tree', 'train the model with weight'];
  const order: EncoderEvaluationOrder = {
    encoder: ENCODER,
    corpus: await textsOf(corpus),
    // The first asks in the very words of its document; the second for one that stands elsewhere.
    queries: await lines([
      { query: corpus[2], relevant: { t2: 1 } },
      { id: 'wrong', query: corpus[0], relevant: { t9: 1 } },
    ]),
    maxLength: { query: 32, document: 32 },
  };
  const evaluation = await run(activities.evaluateEncoder, order);
  expect(evaluation).toMatchObject({ ndcg: 0.5, queries: 2 });
  const perQuery = (await artifacts.get(evaluation.perQuery)).toString().trim().split('\n');
  expect(perQuery.map((line) => JSON.parse(line))).toEqual([
    { id: '1', ndcg: 1 },
    { id: 'wrong', ndcg: 0 },
  ]);
});

test('pairs get a score each, by an adapter of a reranker', async () => {
  const { artifacts, model, lines } = scene();
  const adapter = newAdapter(openEncoder(model), { rank: 2, alpha: 2, dropout: 0, targets: ['query'] }, 1, 'reranker');
  const encoders: EncoderSource = { open: async () => ({ folder: model, adapter, adapterSide: 'both', probe: null }) };
  const activities = createInferenceActivities({ artifacts, encoders, devices: cpu() });
  const order: ScoreOrder = {
    model: { base: ENCODER.base, adapter: 'a'.repeat(64) },
    pairs: await lines(TEXTS.map((text, n) => ({ id: `p${n}`, query: 'the cat', text }))),
    maxLength: 32,
  };
  const scored = await run(activities.scorePairs, order);
  const rows = (await artifacts.get(scored.scores))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.map(({ id }) => id)).toEqual(TEXTS.map((_, n) => `p${n}`));
  expect(rows.every(({ score }) => Number.isFinite(score))).toBe(true);
});

test('an adapter that is not served as it was trained is refused at every load', async () => {
  const { artifacts, model, textsOf } = scene();
  const adapter = newAdapter(openEncoder(model), { rank: 2, alpha: 2, dropout: 0, targets: ['query'] }, 1);
  const served = new ServedEncoder(model, { provider: 'cpu', threads: 1, arena: true });
  const vector = [...(await served.encode({ texts: ['the cat'], maxLength: 16, adapter: null }))];
  await served.close();
  const order: EncodeOrder = {
    encoder: { base: ENCODER.base, adapter: 'a'.repeat(64) },
    texts: await textsOf(['a']),
    side: 'query',
    maxLength: 16,
  };
  const encodedWith = (trained: readonly number[]) => {
    const probe: ParityProbe = {
      v: 1,
      lengths: { query: 16, document: 16 },
      rows: [{ side: 'query', text: 'the cat' }],
      trained: [[...trained]],
    };
    const encoders: EncoderSource = { open: async () => ({ folder: model, adapter, adapterSide: 'both', probe }) };
    return run(createInferenceActivities({ artifacts, encoders, devices: cpu() }).encodeTexts, order);
  };
  expect((await encodedWith(vector)).count).toBe(1);
  await expect(encodedWith(vector.map((x) => x + 1e-4))).rejects.toMatchObject({ type: 'Refused', nonRetryable: true });
});

test('an empty data set is an error that nothing is retried for', async () => {
  const { activities, artifacts, opened } = scene();
  const order: EncodeOrder = { encoder: ENCODER, texts: await artifacts.put('\n'), side: 'query', maxLength: 32 };
  await expect(run(activities.encodeTexts, order)).rejects.toMatchObject({ type: 'NoData', nonRetryable: true });
  expect(opened).toEqual([]);
});

test('a line that is no text is named by its number', async () => {
  const { activities, artifacts } = scene();
  const texts = await artifacts.put('{"id":"a","text":"b"}\n{"id":"a"}\n');
  const order: EncodeOrder = { encoder: ENCODER, texts, side: 'query', maxLength: 32 };
  await expect(run(activities.encodeTexts, order)).rejects.toThrow(/:2 {2}text: /);
});

test('the cores of a CPU are shared out between its devices, and no device is without one', async () => {
  const sizes = (text: string, cores: number) => {
    const devices = new Devices(parseDevices(text) ?? [], cores);
    return Promise.all(Array.from({ length: devices.places }, () => devices.lend(async ({ size }) => size)));
  };
  expect(await sizes('cpu:0', 8)).toEqual([8]);
  expect(await sizes('cpu:0,cpu:1/2', 8)).toEqual([2, 2, 2]);
  expect(await sizes('cpu:0/3', 2)).toEqual([1, 1, 1]);
  expect(await sizes('cuda:0', 8)).toEqual([1]);
});

test('no device ever has more pieces of work than its share', async () => {
  const devices = new Devices(parseDevices('cpu:0, cuda:0/2') ?? [], 4);
  expect(devices.places).toBe(3);
  const now = new Map<string, number>();
  let most = 0;
  const work = async ({ name }: Lent) => {
    now.set(name, (now.get(name) ?? 0) + 1);
    most = Math.max(
      most,
      [...now.values()].reduce((a, b) => a + b),
    );
    expect(now.get(name)).toBeLessThanOrEqual(name === 'cuda:0' ? 2 : 1);
    await new Promise((resolve) => setImmediate(resolve));
    now.set(name, (now.get(name) ?? 0) - 1);
  };
  const wave = () => Promise.all(Array.from({ length: 20 }, () => devices.lend(work)));
  await wave();
  // Whatever was given back was given back once.
  await wave();
  expect(most).toBe(3);
});

test('a device is given back also by work that fails', async () => {
  const devices = cpu();
  await expect(devices.lend(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await devices.lend(async ({ name }) => name)).toBe('cpu:0');
});

test('a device that another worker of the queue has is refused, and is free when that one has ended', async () => {
  const folder = temporaryFolder();
  const taking = (devices: string[], work = async () => 'done') => claiming(folder, 'q', devices, work);
  await taking(['cpu:0'], async () => {
    await expect(taking(['cpu:1', 'cpu:0'])).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`cpu:0 is taken on q by process ${process.pid}`),
    });
    return taking(['cpu:1']);
  });
  expect(await taking(['cpu:0'])).toBe('done');
});

test.for(['cpu', 'tpu:0', 'cpu:0,cpu:0', 'cuda:0/0', ''])('%j names no devices', (text) => {
  expect(parseDevices(text)).toBeNull();
});

test('PAWL_DEVICES says what a worker computes on, and what it should say where it does not', () => {
  expect(readEnvironment({ PAWL_DEVICES: 'cuda:1/2' }).devices).toEqual([{ provider: 'cuda', index: 1, share: 2 }]);
  expect(readEnvironment({}).devices).toEqual([{ provider: 'cpu', index: 0, share: 1 }]);
  expect(() => readEnvironment({ PAWL_DEVICES: 'gpu' })).toThrow(
    /PAWL_DEVICES: expected devices such as "cpu:0".*found "gpu"/,
  );
});
