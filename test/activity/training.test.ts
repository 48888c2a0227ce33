import { cpSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLoraDataActivities } from '../../activities/lora-data.ts';
import { createTrainingActivities, PARITY_FILE } from '../../activities/training.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { linesText } from '../../adapters/training/lines.ts';
import { parityOf, parityProbe, proveParity } from '../../adapters/training/parity.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import type {
  LegProgress,
  LoraEvaluation,
  LoraInput,
  PreparedData,
  TrainedLeg,
  TrainLeg,
} from '../../contracts/lora.ts';
import type { ModelCard, RegisteredModel } from '../../contracts/model.ts';
import { tinyConfig, tinyExamples, tinyFolder, tinyPlan } from '../support/lora-home.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let model: string;
let store: string;
let made: Awaited<ReturnType<typeof scene>>;
/** One leg that nothing disturbs; and what a worker's last heartbeat says that is killed after step 4. */
let whole: { readonly trained: TrainedLeg; readonly beat: LegProgress; readonly began: number | undefined };
let killed: LegProgress;
beforeAll(async () => {
  model = tinyFolder();
  store = mkdtempSync(join(tmpdir(), 'pawl-training-test-'));
  made = await scene();
  whole = await made.train(made.leg(), undefined, (beat) => {
    if (beat.checkpoints[0]?.step === 4) killed = beat;
  });
}, 180_000);
afterAll(() => {
  for (const folder of [model, store]) rmSync(folder, { recursive: true });
});

const scene = async (changes: Partial<LoraInput> = {}, folder = store) => {
  const artifacts = folderArtifacts(folder);
  const registered: RegisteredModel[] = [];
  const opened = { folder: model, model: { id: 'base', source: 'file:tiny', name: 'tiny', files: {}, importedAt: '' } };
  const activities = createTrainingActivities({
    artifacts,
    control: { addModel: async (order) => void registered.push(order.model) },
    models: { open: async () => opened },
    services: { config: async () => ({ cpuHour: 36 }) as ServiceConfig },
    now: () => 0,
  });
  const input: LoraInput = {
    ...{ service: 'docs', id: 'lo_1', base: 'base', config: tinyConfig, plan: tinyPlan, mostSteps: 100 },
    ...{ data: { examples: await artifacts.put(linesText(tinyExamples(60))) }, reason: 'for the test' },
    requestedBy: { kind: 'person', name: 'ada' },
    ...changes,
  };
  const data = await prepare(artifacts, input);
  const leg = (rest: Partial<TrainLeg> = {}): TrainLeg => ({
    ...{ input, data, from: [], untilStep: 6, totalSteps: 12 },
    ...rest,
  });
  /** Runs a leg; with what an attempt before it has left in its last heartbeat. */
  const train = async (
    order: TrainLeg,
    left?: LegProgress,
    onBeat: (beat: LegProgress, cancel: () => void) => void = () => undefined,
  ) => {
    const env = new MockActivityEnvironment(left === undefined ? {} : { heartbeatDetails: left });
    const beats: LegProgress[] = [];
    env.on('heartbeat', (details: LegProgress) => {
      beats.push(details);
      onBeat(details, () => env.cancel('CANCELLED'));
    });
    const trained = (await env.run(activities.trainLora, order)) as TrainedLeg;
    return { trained, beat: beats.at(-1) as LegProgress, began: beats[0]?.step };
  };
  return { activities, artifacts, input, data, leg, train, registered };
};

/** The store as it is now, to damage. */
const copied = (): string => {
  const folder = temporaryFolder();
  cpSync(store, folder, { recursive: true });
  return folder;
};

const prepare = (artifacts: ReturnType<typeof folderArtifacts>, input: LoraInput): Promise<PreparedData> => {
  const nothing = async (): Promise<never> => Promise.reject(new Error('asked'));
  const deps = { artifacts, queryLog: { read: nothing }, services: { config: nothing }, now: () => 0 };
  return createLoraDataActivities(deps as never).prepareLoraData(input);
};
const run = async <T>(work: () => Promise<T>): Promise<T> => (await new MockActivityEnvironment().run(work)) as T;

describe('a leg', () => {
  test('ends at its last step with a checkpoint, a loss for each step and a measurement', async () => {
    const { trained, beat, began } = whole;
    expect(began).toBe(0);
    expect(trained).toMatchObject({ step: 6, stopped: null, metric: { step: 6 } });
    expect(trained.losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await made.artifacts.has(trained.checkpoint)).toBe(true);
    // 36 dollars an hour is a cent a second.
    expect(trained.usage?.cpuSeconds).toBeGreaterThan(0);
    expect(trained.usage?.cents).toBeCloseTo(trained.usage?.cpuSeconds ?? 0, 4);
    expect(beat.checkpoints.map(({ step }) => step)).toEqual([6, 4]);
  });

  test('that goes on from what a killed attempt has left ends with the same checkpoint to the bit', async () => {
    const again = await made.train(made.leg(), killed);
    expect(again.began).toBe(4);
    expect(again.trained.checkpoint).toEqual(whole.trained.checkpoint);
    expect(again.trained.losses).toEqual(whole.trained.losses);
  });

  test.for([
    { what: 'changed', damage: (path: string) => truncateSync(path, 100) },
    { what: 'gone', damage: (path: string) => rmSync(path) },
  ])('goes on from the checkpoint before one that is $what, and comes to the same end', async ({ damage }) => {
    const folder = copied();
    damage(artifactPath(folder, whole.trained.checkpoint.sha256));
    const { leg, train } = await scene({}, folder);
    const again = await train(leg({ from: whole.beat.checkpoints }));
    expect(again.began).toBe(4);
    expect(again.trained.checkpoint).toEqual(whole.trained.checkpoint);
  });

  test('of which every checkpoint is damaged says so, and does not begin anew unasked', async () => {
    const folder = copied();
    truncateSync(artifactPath(folder, whole.trained.checkpoint.sha256), 100);
    const { leg, train } = await scene({}, folder);
    await expect(train(leg({ from: [whole.trained] }))).rejects.toThrow(/No checkpoint of this fine-tune is whole/);
  });

  test('does not go on from what was left for another leg', async () => {
    expect((await made.train(made.leg({ untilStep: 1 }), { ...killed, of: 'another' })).began).toBe(0);
  });

  test('that is told to stop answers with a checkpoint of the step that it has reached', async () => {
    const { leg, train } = made;
    const { trained } = await train(leg({ untilStep: 10_000, totalSteps: 10_000 }), undefined, ({ step }, cancel) => {
      if (step >= 3) cancel();
    });
    expect(trained).toMatchObject({ stopped: 'asked', metric: null });
    expect(trained.step).toBeGreaterThanOrEqual(3);
    expect(trained.step).toBeLessThan(10_000);
  });

  test('whose loss is not a number keeps the last good checkpoint and says which examples it was given', async () => {
    const { leg, train } = await scene({ plan: { ...tinyPlan, learningRate: 1e30, clip: 0, warmup: 0 } });
    const { trained } = await train(leg());
    expect(trained).toMatchObject({ stopped: 'not a number', because: expect.stringMatching(/examples \d+/) });
    expect(trained.step).toBeLessThan(6);
  });
});

describe('the end of a fine-tune', () => {
  const order = () => ({ input: made.input, data: made.data, trained: whole.trained, totalSteps: 12 });
  let evaluation: LoraEvaluation;
  let card: ModelCard;

  test('compares with the base model on queries that were held out, and leaves the evidence', async () => {
    evaluation = await run(() => made.activities.evaluateLora(order()));
    expect(evaluation.queries).toBe(made.data.heldOutQueries);
    expect(evaluation.low).toBeLessThanOrEqual(evaluation.after - evaluation.before);
    expect(evaluation.high).toBeGreaterThanOrEqual(evaluation.after - evaluation.before);
    const evidence = (await made.artifacts.getJson(evaluation.evidence)) as { scores: unknown[] };
    expect(evidence.scores).toHaveLength(evaluation.queries);
  });

  test('registers files, card and proof; twice is once', async () => {
    const register = () => run(() => made.activities.registerLora({ ...order(), evaluation, metrics: [] }));
    const first = await register();
    const { usage: _, ...again } = await register();
    expect(first).toMatchObject(again);
    expect(new Set(made.registered.map(({ id }) => id))).toEqual(new Set([first.model]));
    card = (await made.artifacts.getJson(first.card)) as ModelCard;
    expect(Object.keys(card.files).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors', PARITY_FILE]);
    expect(card.parity).toBeLessThanOrEqual(1e-5);
    expect(card.data.examples).toBe(made.data.examples);
  });

  test('leaves a proof that refuses whoever serves something else', async () => {
    const probe = parityProbe.parse(await made.artifacts.getJson(card.files[PARITY_FILE] as ArtifactRef));
    expect(await proveParity('x', probe, async () => probe.trained)).toBe(0);
    const off = probe.trained.map((row, at) =>
      at === 3 ? row.map((value, n) => (n === 7 ? value + 2e-5 : value)) : row,
    );
    await expect(proveParity('x', probe, async () => off)).rejects.toThrow(/is served 2.0e-5 apart/);
  });
});

test.for([
  { what: 'a row too few', served: [[1, 2]] },
  { what: 'a row too short', served: [[1, 2], [3]] },
  {
    what: 'no number',
    served: [
      [1, 2],
      [3, Number.NaN],
    ],
  },
])('$what is infinitely far from what was trained', ({ served }) => {
  expect(
    parityOf(
      {
        trained: [
          [1, 2],
          [3, 4],
        ],
      },
      served,
    ),
  ).toBe(Number.POSITIVE_INFINITY);
});

test('no example at all is no data, and the error says what to bring', async () => {
  await expect(scene({ data: {} })).rejects.toMatchObject({ type: 'NoData' });
});
