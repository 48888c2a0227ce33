import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PawlError } from '../../contracts/failures.ts';
import type { LegProgress, LoraActivities, TrainedLeg, TrainLeg } from '../../contracts/lora.ts';
import {
  checkpointNowSignal,
  checkpointNowUpdate,
  extendSignal,
  extendUpdate,
  loraStatusQuery,
} from '../../contracts/lora-messages.ts';
import { abortSignal, abortUpdate } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { legTo, loraTo, startLora } from '../support/lora.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
/** A worker that is gone comes back only when all tests are over. */
const over = door();
afterAll(() => {
  over.open();
  return world.end();
});

const scene = (script: Partial<LoraActivities> = {}): void => {
  service = `tuned-${++services}`;
  world.lora = loraTo(script);
  world.plan = testPlan();
};

/** Legs that are noted, each of which does what the script says; by default it goes as planned. */
const legs = (...script: ReadonlyArray<(leg: TrainLeg) => Promise<TrainedLeg>>) => {
  const seen: TrainLeg[] = [];
  const trainLora = async (leg: TrainLeg): Promise<TrainedLeg> => {
    seen.push(leg);
    return (script[seen.length - 1] ?? (async () => legTo(leg.untilStep)))(leg);
  };
  return { seen, trainLora };
};

/** Trains until it is told to stop, and then leaves a checkpoint at this step. */
const untilAsked =
  (step: number, begun: () => void = () => undefined) =>
  async (): Promise<TrainedLeg> => {
    begun();
    const heart = setInterval(() => Context.current().heartbeat(), 50);
    await Context.current().cancelled.catch(() => undefined);
    clearInterval(heart);
    return legTo(step, { stopped: 'asked', metric: null });
  };

const gone = async (): Promise<never> => {
  await over.opened;
  throw new Error('long gone');
};

const kinds = async () => (await world.control.ledger({ service })).map(({ kind }) => kind);

describe('a fine-tune', () => {
  test('goes from data over legs to an adapter in the registry', async () => {
    const { seen, trainLora } = legs();
    scene({ trainLora });
    const end = await (await startLora(world, service)).result();
    expect(end).toMatchObject({ outcome: 'trained', model: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(seen.map(({ untilStep }) => untilStep)).toEqual([10, 20, 30]);
    expect(seen.map(({ from }) => from.map(({ step }) => step))).toEqual([[], [10], [20, 10]]);
    expect(await kinds()).toEqual(['decision', 'lora started', 'lora ended']);
  });

  test('says in the ledger what its legs, its comparison and its proof have used', async () => {
    scene({
      trainLora: async ({ untilStep }) => legTo(untilStep, { usage: { cpuSeconds: 10, cents: 2 } }),
      evaluateLora: async (order) => ({ ...(await loraTo().evaluateLora(order)), usage: { cpuSeconds: 3 } }),
      registerLora: async (order) => {
        expect(order.evaluation).not.toHaveProperty('usage');
        return { ...(await loraTo().registerLora(order)), usage: { cents: 0.5 } };
      },
    });
    const handle = await startLora(world, service);
    await handle.result();
    const [ended] = await world.control.ledger({ service, kind: 'lora ended' });
    expect(ended?.body.usage).toEqual({ cpuSeconds: 33, cents: 6.5 });
    expect((await handle.query(loraStatusQuery)).usage).toEqual({ cpuSeconds: 33, cents: 6.5 });
  });

  test('keeps its loss curve small, and says how it stands', async () => {
    const losses = Array.from({ length: 1_000 }, (_, at) => ({
      ...{ step: at + 1, loss: 1, learningRate: 0, gradientNorm: 0 },
    }));
    scene({ trainLora: async ({ untilStep }) => legTo(untilStep, { losses }) });
    const handle = await startLora(world, service);
    await handle.result();
    const status = await handle.query(loraStatusQuery);
    expect(status).toMatchObject({ state: 'ended', step: 30, steps: 30, stepsPerSecond: 5, secondsLeft: null });
    expect(status.losses.length).toBeLessThanOrEqual(100);
    expect(status.reports.map(({ state }) => state)).toEqual([
      ...['asking', 'preparing', 'training', 'evaluating', 'registering', 'ended'],
    ]);
  });

  test('keeps what was best on the validation queries, not what came last', async () => {
    const ndcg: Record<number, number> = { 10: 0.3, 20: 0.5, 30: 0.4 };
    const trained: unknown[] = [];
    scene({
      trainLora: async ({ untilStep }) => legTo(untilStep, { metric: { step: untilStep, ndcg: ndcg[untilStep] ?? 0 } }),
      registerLora: async (order) => {
        trained.push(order.trained.step);
        return loraTo().registerLora(order);
      },
    });
    await (await startLora(world, service)).result();
    expect(trained).toEqual([20]);
  });

  test('waits as long for its worker as ten steps take, once they were measured', async () => {
    scene({ trainLora: async ({ untilStep }) => legTo(untilStep, { stepsPerSecond: 0.05 }) });
    const handle = await startLora(world, service, { plan: { steps: 20 } });
    await handle.result();
    const { events } = await handle.fetchHistory();
    const silences = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: of }) =>
      of?.taskQueue?.name === queues.train ? [`${of.activityType?.name} ${of.heartbeatTimeout?.seconds}`] : [],
    );
    expect(silences).toEqual(['trainLora 1', 'trainLora 200', 'evaluateLora 200', 'registerLora 200']);
  });

  test('stops when its evaluations gain no more', async () => {
    const { seen, trainLora } = legs(
      ...[0.5, 0.4, 0.5, 0.9].map(
        (ndcg) =>
          async ({ untilStep }: TrainLeg) =>
            legTo(untilStep, { metric: { step: untilStep, ndcg } }),
      ),
    );
    scene({ trainLora });
    const end = await (await startLora(world, service, { plan: { steps: 60, patience: 2 } })).result();
    expect(end).toMatchObject({ outcome: 'trained', because: expect.stringContaining('no gain in the last 2') });
    expect(seen).toHaveLength(3);
  });

  test('ends as failed when its loss is not a number, and keeps the last good checkpoint', async () => {
    const because = 'step 14: the loss is NaN, in the batch that begins with "how to …"';
    const { trainLora } = legs(
      async () => legTo(10),
      async () => legTo(13, { stopped: 'not a number', because }),
    );
    scene({ trainLora });
    const end = await (await startLora(world, service)).result();
    expect(end).toMatchObject({ outcome: 'failed', because, model: null, last: { step: 13 } });
  });

  test('without data it ends as failed, and says what to do', async () => {
    scene({
      prepareLoraData: async () => {
        throw new PawlError('NoData', 'No example is left.', { hint: 'Bring more.' });
      },
    });
    const end = await (await startLora(world, service)).result();
    expect(end).toMatchObject({ outcome: 'failed', because: 'NoData: No example is left. Bring more.', last: null });
  });

  test('an adapter that is not served as it was trained is not registered', async () => {
    scene({
      registerLora: async () => {
        throw new PawlError('DigestMismatch', 'served 0.01 off');
      },
    });
    const end = await (await startLora(world, service)).result();
    expect(end).toMatchObject({ outcome: 'failed', model: null, because: expect.stringContaining('served 0.01 off') });
  });

  test('goes on where another has left off, with its data and without preparing it again', async () => {
    const { seen, trainLora } = legs();
    const prepareLoraData = async () => {
      throw new PawlError('Internal', 'prepared again');
    };
    scene({ trainLora, prepareLoraData });
    const data = await loraTo().prepareLoraData({} as never);
    const from = { run: 'lo_before', data, checkpoint: evidenceOf('step 15'), step: 15 };
    const end = await (await startLora(world, service, { from })).result();
    expect(end.outcome).toBe('trained');
    expect(seen[0]).toMatchObject({ from: [{ step: 15, checkpoint: from.checkpoint }], untilStep: 20 });
  });

  test('in production nobody starts one without a signature, and nothing is trained', async () => {
    const { seen, trainLora } = legs();
    scene({ trainLora });
    world.plan = { ...testPlan(), environment: 'production' };
    const end = await (await startLora(world, service)).result();
    expect(end).toMatchObject({ outcome: 'refused', because: expect.stringContaining('signed') });
    expect(seen).toEqual([]);
    expect(await kinds()).not.toContain('lora ended');
  });

  test('in production a signature for this very fine-tune starts it, and counts once', async () => {
    scene();
    world.plan = { ...testPlan(), environment: 'production' };
    const token = world.sign({ action: 'train', workflow: `pawl:${service}:lora:signed` });
    expect(await (await startLora(world, service, { id: 'signed', token })).result()).toMatchObject({
      outcome: 'trained',
    });
    expect(await (await startLora(world, service, { id: 'other', token })).result()).toMatchObject({
      outcome: 'refused',
    });
  });
});

describe('an abort', () => {
  test('ends the training with a checkpoint to go on from', async () => {
    const begun = door();
    scene({ trainLora: untilAsked(7, begun.open) });
    const handle = await startLora(world, service);
    await begun.opened;
    const answer = await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'the data is wrong' }] });
    expect(answer).toMatchObject({ accepted: true });
    const end = await handle.result();
    expect(end).toMatchObject({
      outcome: 'aborted',
      because: 'the data is wrong (ada)',
      last: { step: 7 },
      model: null,
    });
    expect(await kinds()).toContain('lora ended');
  });

  test('and a cancellation in Temporal leave a checkpoint, and an end that is told', async () => {
    const begun = door();
    scene({ trainLora: untilAsked(7, begun.open) });
    const handle = await startLora(world, service);
    await begun.opened;
    await handle.cancel();
    expect(await handle.result()).toMatchObject({
      outcome: 'aborted',
      because: 'the workflow was cancelled in Temporal',
    });
    expect(await kinds()).toContain('lora ended');
  });

  test.for(['preparing', 'evaluating', 'registering'] as const)('works while it is %s', async (state) => {
    const begun = door();
    const wait = async (): Promise<never> => {
      begun.open();
      const heart = setInterval(() => Context.current().heartbeat(), 50);
      try {
        return await Context.current().cancelled;
      } finally {
        clearInterval(heart);
      }
    };
    const names = { preparing: 'prepareLoraData', evaluating: 'evaluateLora', registering: 'registerLora' } as const;
    scene({ [names[state]]: wait });
    const handle = await startLora(world, service);
    await begun.opened;
    await handle.signal(abortSignal, { by: 'ada', reason: 'enough' });
    expect(await handle.result()).toMatchObject({ outcome: 'aborted', because: 'enough (ada)' });
  });

  test('works where the worker is gone, with what its last heartbeat said', async () => {
    const begun = door();
    const silent = async ({ from }: TrainLeg): Promise<TrainedLeg> => {
      if (from.length === 0) return legTo(10);
      Context.current().heartbeat(progress(13));
      begun.open();
      return gone();
    };
    scene({ trainLora: silent });
    const handle = await startLora(world, service);
    await begun.opened;
    await handle.signal(abortSignal, { by: 'ada', reason: 'enough' });
    expect(await handle.result()).toMatchObject({ outcome: 'aborted', last: { step: 13 } });
  });
});

const progress = (step: number): LegProgress => ({
  of: 'the leg',
  checkpoints: [{ checkpoint: evidenceOf(`step ${step}`), step }],
  losses: [],
  step,
  stepsPerSecond: 1,
});

describe('checkpointNow', () => {
  test('makes the leg write a checkpoint, and training goes on from it', async () => {
    const begun = door();
    const { seen, trainLora } = legs(untilAsked(4, begun.open));
    scene({ trainLora });
    const handle = await startLora(world, service);
    await begun.opened;
    expect(await handle.executeUpdate(checkpointNowUpdate)).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'trained' });
    expect(seen[1]).toMatchObject({ from: [{ step: 4 }], untilStep: 10 });
  });

  test('costs nothing but the leg where the worker is gone', async () => {
    const begun = door();
    const { seen, trainLora } = legs(async () => {
      begun.open();
      return gone();
    });
    scene({ trainLora });
    const handle = await startLora(world, service);
    await begun.opened;
    await handle.signal(checkpointNowSignal);
    expect(await handle.result()).toMatchObject({ outcome: 'trained' });
    expect(seen[1]).toMatchObject({ from: [], untilStep: 10 });
  });
});

describe('extend', () => {
  test('adds steps while it trains, and refuses what is no number or too many', async () => {
    const begun = door();
    const { seen, trainLora } = legs(untilAsked(4, begun.open));
    scene({ trainLora });
    const handle = await startLora(world, service);
    await begun.opened;
    const extend = (message: unknown) => handle.executeUpdate(extendUpdate, { args: [message as { steps: number }] });
    for (const bad of [{}, { steps: 'many' }, { steps: -1 }, { steps: 0.5 }, { steps: 31 }, null])
      expect(await extend(bad)).toMatchObject({ accepted: false });
    expect(await extend({ steps: 10 })).toEqual({ accepted: true, what: '40 steps are planned now' });
    await handle.signal(extendSignal, { steps: 5 });
    await handle.signal(checkpointNowSignal);
    await handle.result();
    expect(seen.at(-1)).toMatchObject({ untilStep: 45, totalSteps: 45 });
    expect(await extend({ steps: 1 }).catch(() => 'closed')).toBe('closed');
  });
});

test('it continues as new between legs, and knows everything it knew', async () => {
  const { seen, trainLora } = legs();
  scene({ trainLora });
  const handle = await startLora(world, service, { historyLimit: 15, plan: { steps: 50 } });
  expect(await handle.result()).toMatchObject({ outcome: 'trained' });
  const { runId } = await handle.describe();
  expect(runId).not.toBe(handle.firstExecutionRunId);
  expect(seen.map(({ untilStep }) => untilStep)).toEqual([10, 20, 30, 40, 50]);
  expect(seen.at(-1)?.from.map(({ step }) => step)).toEqual([40, 30]);
  const status = await handle.query(loraStatusQuery);
  expect(status.losses.map(({ step }) => step)).toEqual([10, 20, 30, 40, 50]);
  expect(status.metrics).toHaveLength(5);
  expect((await kinds()).filter((kind) => kind === 'lora started')).toHaveLength(1);
});

test('messages that are nothing it knows are shown and change nothing', async () => {
  const begun = door();
  scene({ trainLora: untilAsked(10, begun.open) });
  const handle = await startLora(world, service, { plan: { steps: 10 } });
  await begun.opened;
  await handle.signal('promote');
  await handle.signal(extendSignal, 'much' as never);
  await handle.signal(checkpointNowSignal);
  expect(await handle.result()).toMatchObject({ outcome: 'trained' });
  await eventually(kinds, (all) => all.includes('lora ended'));
});
