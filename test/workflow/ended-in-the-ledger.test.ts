import { Context } from '@temporalio/activity';
import { expect, test } from 'vitest';
import { guardedService } from '../support/guarded-service.ts';
import { eventually, startCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf } from '../support/world.ts';

const scene = guardedService();

test('a cycle that is terminated after it has told the ledger its end is forgotten by its guardian, with that end', async () => {
  await scene.startGuardian({ lookAfterMs: 1_000 });
  const { control } = scene.world;
  const held = scene.holdTraining();
  const { cycle, handle } = await startCycle(scene.world, scene.service);
  await eventually(scene.status, ({ running }) => running.length === 1);
  // As if the worker had died before it could tell the workflow that the row is written.
  const actor = { kind: 'cycle', name: cycle };
  const body = { outcome: 'rejected', because: 'not better', challenger: null, champion: null };
  const row = { service: scene.service, cycle, kind: 'cycle ended', actor, reason: 'not better', body };
  await control.note({ ...row, key: `${handle.workflowId}/end` });
  await handle.terminate('by hand');
  held.open();

  const { last } = await eventually(scene.status, ({ running }) => running.length === 0);
  expect(last).toMatchObject([{ cycle, outcome: 'rejected', because: 'not better' }]);
  expect(await endsOf(cycle)).toHaveLength(1);
});

test('a cycle that is terminated after its promotion has taken effect was promoted, and its guardian says so', async () => {
  await scene.startGuardian({ lookAfterMs: 1_000 });
  const challenger = challengerOf(scene.service);
  scene.world.stages = stagesTo(challenger, { learn: () => Context.current().cancelled });
  const { cycle, handle } = await startCycle(scene.world, scene.service);
  await eventually(scene.state, (state) => state?.champion === challenger);
  await handle.terminate('by hand');

  await eventually(scene.status, ({ running }) => running.length === 0);
  expect(await endsOf(cycle)).toMatchObject([{ outcome: 'promoted', challenger, champion: challenger }]);
  expect(await scene.state()).toMatchObject({ champion: challenger, arms: [{ variant: challenger, share: 1 }] });
});

const endsOf = async (cycle: string) =>
  (await scene.world.control.ledger({ service: scene.service, cycle }))
    .filter(({ kind }) => kind === 'cycle ended')
    .map(({ body }) => body);
