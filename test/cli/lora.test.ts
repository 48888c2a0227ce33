import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import type { LegProgress, TrainedLeg, TrainLeg } from '../../contracts/lora.ts';
import { abortUpdate } from '../../contracts/messages.ts';
import { legTo, loraTo, startLora } from '../support/lora.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { createWorld, registerService, SERVICE, type World } from '../support/world.ts';
import { errorOf, pawlIn } from './cli-world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const { control, services } = homePaths(world.home);
  symlinkSync(join(world.home, 'control.db'), control);
  mkdirSync(services);
  await registerService(world.control, 'other');
}, 60_000);
afterAll(() => world.end());

const pawl = (...args: readonly string[]) =>
  pawlIn(world.home, args, { PAWL_HOME: world.home, PAWL_TEMPORAL_ADDRESS: world.env.address });

/** The first leg says that it is at step 3, and goes on until it is told to stop, at step 4; others go as planned. */
const trainsUntilAsked = () => {
  const begun = door();
  const legs: TrainLeg[] = [];
  const trainLora = async (leg: TrainLeg): Promise<TrainedLeg> => {
    if (legs.push(leg) > 1) return legTo(leg.untilStep);
    const losses = [{ step: 3, loss: 1.25, learningRate: 1e-4, gradientNorm: 1 }];
    const progress: LegProgress = { of: 'this leg', checkpoints: [], losses, step: 3, stepsPerSecond: 1 };
    const heart = setInterval(() => Context.current().heartbeat(progress), 50);
    begun.open();
    await Context.current().cancelled.catch(() => undefined);
    clearInterval(heart);
    return legTo(4, { stopped: 'asked', metric: null });
  };
  world.plan = testPlan();
  world.lora = loraTo({ trainLora });
  return { begun, legs };
};

type Listed = { id: string; state: string; step: number | null; loss: number | null; running: boolean };
const list = async (...args: readonly string[]) => (await pawl('lora', 'ls', '--json', ...args)).json as Listed[];

test('without any, lora ls says how one is started', async () => {
  expect(await list()).toEqual([]);
  expect((await pawl('lora', 'ls')).stdout).toContain('pawl lora start');
});

describe('a fine-tune that trains', () => {
  test('is listed with its state, and the step and loss that its worker says', async () => {
    const { begun } = trainsUntilAsked();
    const handle = await startLora(world, SERVICE, { id: 'lo_listed', heartbeatMs: 10_000 });
    await begun.opened;
    const [running] = await eventually(
      () => list('--running'),
      ([first]) => first?.step === 3,
    );
    expect(running).toMatchObject({ id: 'lo_listed', service: SERVICE, state: 'training', running: true });
    expect(running).toMatchObject({ step: 3, steps: 30, loss: 1.25, model: null });
    expect((await pawl('lora', 'ls')).stdout).toMatch(/lo_listed +docs +in training +3\/30 +1\.2500/);
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'seen' }] });
    await handle.result();
  });

  test('writes a checkpoint when it is asked for one, and takes more steps up to those that were allowed', async () => {
    const { begun, legs } = trainsUntilAsked();
    const handle = await startLora(world, SERVICE, { id: 'lo_steered' });
    await begun.opened;
    const tooFar = await pawl('lora', 'extend', 'lo_steered', '--steps', '31', '--json');
    expect(errorOf(tooFar)).toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('30 more are possible'),
    });
    const extended = await pawl('lora', 'extend', 'lo_steered', '--steps', '10');
    expect(extended).toMatchObject({ code: 0, stdout: expect.stringContaining('40 steps are planned now') });
    const kept = await pawl('lora', 'checkpoint', 'lo_steered', '--json');
    expect(kept.json).toMatchObject({ accepted: true, what: expect.stringContaining('checkpoint') });
    expect(await handle.result()).toMatchObject({ outcome: 'trained' });
    expect(legs[1]).toMatchObject({ from: [{ step: 4 }], totalSteps: 40 });
    expect(legs.at(-1)?.untilStep).toBe(40);
  });
});

describe('a fine-tune that has ended', () => {
  test('is listed with how it ended, newest first, and of one service only where that is named', async () => {
    world.plan = testPlan();
    world.lora = loraTo();
    await (await startLora(world, 'other', { id: 'lo_trained' })).result();
    const listed = await eventually(
      () => list(),
      (all) => all[0]?.id === 'lo_trained' && !all[0].running,
    );
    expect(listed.map(({ id, state }) => [id, state])).toEqual([
      ['lo_trained', 'trained'],
      ['lo_steered', 'trained'],
      ['lo_listed', 'aborted'],
    ]);
    expect(listed[0]).toMatchObject({
      step: 30,
      steps: 30,
      loss: 10 / 30,
      model: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await list('other')).map(({ id }) => id)).toEqual(['lo_trained']);
    expect(await list('--running')).toEqual([]);
    expect((await list('--limit', '1')).map(({ id }) => id)).toEqual(['lo_trained']);
  });

  test('is one line, however often it continued as new', async () => {
    world.plan = testPlan();
    world.lora = loraTo();
    await (await startLora(world, 'other', { id: 'lo_long', historyLimit: 15, plan: { steps: 50 } })).result();
    const listed = await eventually(
      () => list('other'),
      (all) => all[0]?.id === 'lo_long' && !all[0].running,
    );
    expect(listed.map(({ id }) => id)).toEqual(['lo_long', 'lo_trained']);
  });

  test('is listed by the ledger when Temporal has forgotten it', async () => {
    await world.client.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: 'pawl:other:lora:lo_trained' },
    });
    const forgotten = async (): Promise<boolean> => {
      for await (const { workflowId } of world.client.workflow.list({ query: 'WorkflowType = "loraFineTune"' }))
        if (workflowId.endsWith('lo_trained')) return false;
      return true;
    };
    await eventually(forgotten, (gone) => gone);
    const listed = await list('other');
    expect(listed.find(({ id }) => id === 'lo_trained')).toMatchObject({ state: 'trained', step: 30 });
    expect(listed.map(({ id }) => id)).toEqual(['lo_long', 'lo_trained']);
  });

  test('hears nothing any more, and whoever speaks to it is told where it stands', async () => {
    for (const said of [
      ['extend', 'lo_steered', '--steps', '1'],
      ['checkpoint', 'lo_steered'],
      ['abort', 'lo_steered', '--reason', 'late'],
    ]) {
      const error = errorOf(await pawl('lora', ...said, '--service', SERVICE, '--json'));
      expect(error).toMatchObject({ type: 'NotFound', hint: expect.stringContaining('pawl lora ls') });
    }
  });
});

test('one that nobody allowed is listed as refused', async () => {
  world.plan = { ...testPlan(), environment: 'production' };
  await (await startLora(world, 'other', { id: 'lo_refused' })).result();
  const listed = await eventually(
    () => list('other'),
    ([first]) => first?.id === 'lo_refused' && !first.running,
  );
  expect(listed[0]).toMatchObject({ state: 'refused', step: null, loss: null });
});
