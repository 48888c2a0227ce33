import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EvidenceActivities, SealOrder } from '../../contracts/evidence.ts';
import { killSignal } from '../../contracts/messages.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { testPlan } from '../support/plan.ts';
import { door, runCycle, startCycle } from '../support/requests.ts';
import { evidenceOf, sealing, stagesTo } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.end());

/** What was to be sealed, and the row of the cycle's end. */
const sealed = async (
  service: string,
  script: Partial<StageActivities> = {},
  answer: EvidenceActivities['sealEvidence'] = sealing.sealEvidence,
  run: () => Promise<unknown> = () => runCycle(world, service),
) => {
  await registerService(world.control, service);
  world.plan = testPlan();
  world.stages = stagesTo(challengerOf(service), script);
  const orders: SealOrder[] = [];
  world.sealEvidence = async (order) => {
    orders.push(order);
    return answer(order);
  };
  await run();
  const rows = await world.control.ledger({ service });
  return { orders, end: rows.find(({ kind }) => kind === 'cycle ended'), rows };
};

test('the row of the end carries the statement over the evidence of every stage that was done', async () => {
  const { orders, end } = await sealed('sealed');
  expect(end?.body).toMatchObject({
    outcome: 'promoted',
    sealed: {
      outcome: 'promoted',
      complete: true,
      missing: [],
      statement: { uri: expect.stringContaining('sha256/') },
    },
  });
  expect(orders).toHaveLength(1);
  expect(orders[0]).toMatchObject({
    service: 'sealed',
    champion: championOf('sealed'),
    end: { outcome: 'promoted', challenger: challengerOf('sealed') },
    done: ['monitor', 'diagnose', 'augment', 'train', 'evaluate', 'deploy', 'watch', 'promote', 'learn'],
    request: { trigger: 'gate', reason: 'for the test' },
  });
  const key = `pawl:sealed:cycle:${orders[0]?.cycle}/evaluate`;
  expect(orders[0]?.evidence).toMatchObject({ evaluate: evidenceOf(key), learn: {} });
});

test('a stage that did not come to its end is not among those whose evidence is asked for', async () => {
  const train = async () => {
    throw ApplicationFailure.nonRetryable('the corpus is another one', 'DigestMismatch');
  };
  const { orders } = await sealed('half', { train });
  expect(orders[0]).toMatchObject({ end: { outcome: 'failed' }, done: ['monitor', 'diagnose', 'augment'] });
});

test('a cycle that is killed is sealed too, after its traffic was put back', async () => {
  const [watched, over] = [door(), door()];
  const killed = async () => {
    const { handle } = await startCycle(world, 'killed');
    await watched.opened;
    await handle.signal(killSignal, { by: 'ada', reason: 'it smells' });
    await handle.result();
    over.open();
  };
  const watch: StageActivities['watch'] = async (input) => {
    watched.open();
    await over.opened;
    return stagesTo(challengerOf('killed')).watch(input);
  };
  let arms: unknown;
  const look: EvidenceActivities['sealEvidence'] = async (order) => {
    arms = (await world.control.state('killed'))?.arms;
    return sealing.sealEvidence(order);
  };
  const { end } = await sealed('killed', { watch }, look, killed);
  expect(end?.body).toMatchObject({ outcome: 'killed', sealed: { complete: true } });
  expect(arms).toEqual([{ variant: championOf('killed'), share: 1 }]);
});

test('evidence that cannot be sealed costs no cycle its end, and the row says why', async () => {
  const refuse = async () => {
    throw ApplicationFailure.nonRetryable('the folder holds other evidence', 'Refused');
  };
  const { end, orders, rows } = await sealed('unsealed', {}, refuse);
  expect(orders).toHaveLength(1);
  expect(end?.body).toMatchObject({
    outcome: 'promoted',
    sealed: null,
    unsealed: expect.stringContaining('the folder holds other evidence'),
  });
  expect(rows.filter(({ kind }) => kind === 'cycle ended')).toHaveLength(1);
});

test('a disk that does not answer at once is asked again, and not for ever', async () => {
  let attempts = 0;
  const { end } = await sealed('patient', {}, async (order) => {
    attempts++;
    if (attempts < 3) throw new Error('not now');
    return sealing.sealEvidence(order);
  });
  expect(end?.body).toMatchObject({ sealed: { complete: true } });
  expect(attempts).toBe(3);
});
