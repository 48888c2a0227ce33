import { ApplicationFailure, Context } from '@temporalio/activity';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { abortUpdate, type CycleEnd, killSignal, pauseUpdate, rejectUpdate } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually, runCycle, type StartedCycle, startCycle, statusOf } from '../support/requests.ts';
import { evidenceOf, stagesTo } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.end());

/** Every test has a service of its own, so that none sees what another did. */
const withService = async <T>(
  script: Partial<StageActivities>,
  plan: Partial<CyclePlan>,
  work: () => Promise<T>,
): Promise<T> => {
  service = `cycle-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan(plan);
  world.stages = stagesTo(challengerOf(service), script);
  return work();
};
const ending = (script: Partial<StageActivities> = {}, plan: Partial<CyclePlan> = {}): Promise<CycleEnd> =>
  withService(script, plan, () => runCycle(world, service));

/** The stages as they go through to a promotion; for what a script does not change. */
const standard = stagesTo('0'.repeat(64));

const serving = async () => (await world.control.state(service))?.arms;
const ledgerKinds = async () => (await world.control.ledger({ service })).map(({ kind }) => kind);
const all = (variant: string) => [{ variant, share: 1 }];

afterEach(async () => {
  const ends = (await world.control.ledger({ service })).filter(({ kind }) => kind === 'cycle ended');
  const admitted = (await world.control.ledger({ service })).filter(({ kind }) => kind === 'cycle admitted');
  expect(ends.length, 'every admitted cycle ends exactly once').toBe(admitted.length);
});

describe('a cycle', () => {
  test('goes from a breach to a promotion, and the challenger serves everything', async () => {
    const end = await ending();
    expect(end).toMatchObject({ outcome: 'promoted', champion: challengerOf(service) });
    expect(await serving()).toEqual(all(challengerOf(service)));
    expect((await world.control.state(service))?.champion).toBe(challengerOf(service));
  });

  test('keeps the champion where no gate is breached', async () => {
    const findBreach = async () => ({ summary: 'fine', evidence: evidenceOf('fine'), findings: [] });
    expect(await ending({ findBreach })).toMatchObject({ outcome: 'kept', because: 'no gate is breached' });
    expect(await serving()).toEqual(all(championOf(service)));
  });

  test('does not take missing data for a breach', async () => {
    const finding = {
      gate: 'ndcg',
      metric: 'ndcg',
      state: 'no data',
      value: null,
      limit: 0.5,
      baseline: 0.5,
      n: 0,
      because: 'no samples',
      withinMs: 1,
    } as const;
    const findBreach = async () => ({ summary: 'nothing seen', evidence: evidenceOf('none'), findings: [finding] });
    expect(await ending({ findBreach })).toMatchObject({ outcome: 'kept' });
  });

  test.for(['not better', 'worse', 'inconclusive'] as const)(
    'ends in a rejection when the evaluation says %s',
    async (verdict) => {
      const better = standard.evaluate;
      const evaluate: StageActivities['evaluate'] = async (input) => ({
        ...(await better(input)),
        verdict,
        reasons: ['as measured'],
      });
      const end = await ending({ evaluate });
      expect(end).toMatchObject({ outcome: 'rejected', because: 'as measured', challenger: challengerOf(service) });
      expect(await serving()).toEqual(all(championOf(service)));
    },
  );

  test('ends in a rejection when the training found nothing to try', async () => {
    const trained = standard.train;
    expect(await ending({ train: async (input) => ({ ...(await trained(input)), challenger: null }) })).toMatchObject({
      outcome: 'rejected',
    });
  });

  test('stops after the diagnosis in mode observe, and after the evaluation in mode advise', async () => {
    expect(await ending({}, { mode: 'observe' })).toMatchObject({
      outcome: 'kept',
      because: 'mode observe: words changed',
    });
    expect(await ending({}, { mode: 'advise' })).toMatchObject({
      outcome: 'kept',
      because: 'mode advise: better by 0.1',
    });
    expect(await serving()).toEqual(all(championOf(service)));
  });

  test.for(['degraded', 'no data'] as const)('puts the traffic back when the watch says %s', async (state) => {
    const watch = async () => ({ summary: state, evidence: evidenceOf(state), state, reasons: [`it was ${state}`] });
    expect(await ending({ watch })).toMatchObject({ outcome: 'rolled back', because: `it was ${state}` });
    expect(await serving()).toEqual(all(championOf(service)));
  });

  test('ends as failed, with the reason, when a stage fails for good', async () => {
    const train = async () => {
      throw ApplicationFailure.nonRetryable('the corpus is another one', 'DigestMismatch');
    };
    expect(await ending({ train })).toMatchObject({
      outcome: 'failed',
      because: 'DigestMismatch: the corpus is another one',
    });
  });

  test('goes on when a stage fails at first and then works', async () => {
    const { diagnose } = standard;
    const flaky: StageActivities['diagnose'] = async (input) => {
      if (Context.current().info.attempt === 1) throw new Error('not now');
      return diagnose(input);
    };
    expect(await ending({ diagnose: flaky })).toMatchObject({ outcome: 'promoted' });
  });

  test('runs a stage of the service as a child workflow where the plan says so', async () => {
    // The trigger workflow serves as a child here: any workflow type can be a stage, and this one is refused a second cycle.
    const stage = { runs: 'workflow', name: 'trigger', taskQueue: 'pawl-control', timeoutMs: 30_000 } as const;
    const plan = testPlan();
    const end = await ending({}, { stages: { ...plan.stages, learn: stage }, limits: { ...plan.limits, running: 1 } });
    expect(end.outcome).toBe('promoted');
    const learned = (
      await world.client.workflow
        .getHandle(`pawl:${service}:cycle:si_${new Date().toISOString().slice(0, 10).replaceAll('-', '_')}_001:learn`)
        .describe()
    ).status.name;
    expect(learned).toBe('COMPLETED');
  });

  test('notes a broken promise when it breaks, and reports the kept ones', async () => {
    const { diagnose, train } = standard;
    const opened = door();
    await withService(
      { diagnose, train: async (input) => opened.opened.then(() => train(input)) },
      { promises: { diagnose: 60_000, train: 500 } },
      async () => {
        const { handle } = await startCycle(world, service);
        await eventually(ledgerKinds, (kinds) => kinds.includes('promise broken'));
        opened.open();
        await handle.result();
        const { promises } = await statusOf(handle);
        expect(promises.map(({ stage, kept }) => [stage, kept])).toEqual([
          ['diagnose', true],
          ['train', false],
        ]);
      },
    );
  });
});

const detailsOf = async (handle: StartedCycle['handle']): Promise<string> =>
  (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';

describe('a running cycle', () => {
  const inTraining = (
    work: (started: Awaited<ReturnType<typeof startCycle>>) => Promise<void>,
    plan: Partial<CyclePlan> = {},
  ) => {
    const reached = door();
    const train: StageActivities['train'] = async () => {
      reached.open();
      return Context.current().cancelled;
    };
    return withService({ train }, plan, async () => {
      const started = await startCycle(world, service);
      await reached.opened;
      await work(started);
    });
  };

  test('is killed in the middle of a stage and says by whom', async () => {
    await inTraining(async ({ handle }) => {
      await handle.signal(killSignal, { by: 'ada', reason: 'it smells' });
      expect(await handle.result()).toMatchObject({ outcome: 'killed', because: 'it smells (ada)' });
    });
  });

  test('is aborted, and a second message finds it already ended or ending', async () => {
    await inTraining(async ({ handle }) => {
      expect(await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'wrong data' }] })).toMatchObject({
        accepted: true,
      });
      expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
    });
  });

  test('counts as aborted when somebody cancels the workflow in the Web UI', async () => {
    await inTraining(async ({ handle }) => {
      await handle.cancel();
      expect(await handle.result()).toMatchObject({
        outcome: 'aborted',
        because: 'the workflow was cancelled in Temporal',
      });
    });
  });

  test('refuses a rejection while nothing waits for a decision', async () => {
    await inTraining(async ({ handle }) => {
      expect(await handle.executeUpdate(rejectUpdate, { args: [{}] })).toEqual({
        accepted: false,
        because: 'nothing waits for a decision now',
      });
      await handle.signal(killSignal, {});
      await handle.result();
    });
  });

  test('takes a kill in any form, and anything else that it cannot read is shown and ignored', async () => {
    await inTraining(async ({ handle }) => {
      await handle.signal('approve', 17);
      await handle.signal('approve');
      await handle.signal('no-such-message', { a: 1 });
      await eventually(
        () => detailsOf(handle),
        (details) => details.includes('no-such-message'),
      );
      await handle.signal(killSignal, 'now!' as never);
      expect(await handle.result()).toMatchObject({ outcome: 'killed', because: 'now! (unknown)' });
    });
  });

  test('can still be killed while it is paused', async () => {
    const reached = door();
    const { augment } = standard;
    const go = door();
    await withService(
      {
        augment: async (input) => {
          reached.open();
          await go.opened;
          return augment(input);
        },
      },
      {},
      async () => {
        const { handle } = await startCycle(world, service);
        await reached.opened;
        expect(await handle.executeUpdate(pauseUpdate, { args: [{}] })).toMatchObject({ accepted: true });
        go.open();
        await eventually(
          () => statusOf(handle),
          ({ stages }) => stages.at(-1)?.stage === 'augment' && stages.at(-1)?.state === 'done',
        );
        await handle.signal(killSignal, {});
        expect(await handle.result()).toMatchObject({ outcome: 'killed' });
      },
    );
  });
});
