import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guardianId, triggerId } from '../../contracts/ids.ts';
import { guardianStatusQuery } from '../../contracts/messages.ts';
import { eventually, guardianOf } from '../support/requests.ts';
import { temporalBinary } from '../support/temporal.ts';
import { challengerOf, championOf, createWorld, SERVICE, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());

/** The `temporal` command, as a person without Pawl's own has it. */
const temporal = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(temporalBinary(), [...args, '--address', world.env.address]);
  return stdout;
};

test('a cycle is started with `temporal workflow start`, and the service killed with `temporal workflow signal`', async () => {
  const trigger = triggerId(SERVICE, 'by-hand');
  const input = JSON.stringify({ service: SERVICE });
  await temporal(
    'workflow',
    'start',
    '--type',
    'trigger',
    '--task-queue',
    'pawl-control',
    '--workflow-id',
    trigger,
    '--input',
    input,
  );
  const admission = await world.client.workflow.getHandle(trigger).result();
  expect(admission).toMatchObject({ admitted: true });
  expect(await world.client.workflow.getHandle(admission.workflowId).result()).toMatchObject({ outcome: 'promoted' });
  expect((await world.control.state(SERVICE))?.champion).toBe(challengerOf(SERVICE));

  const reason = JSON.stringify({ by: 'ada', reason: 'it smells' });
  await temporal('workflow', 'signal', '--workflow-id', guardianId(SERVICE), '--name', 'kill', '--input', reason);
  const killed = await eventually(
    () => world.control.state(SERVICE),
    (state) => state?.latch === 'killed',
  );
  expect(killed).toMatchObject({ because: 'it smells', arms: [{ variant: championOf(SERVICE), share: 1 }] });
});

test('a kill signal without any input kills too', async () => {
  const before = (await world.control.state(SERVICE))?.epoch ?? 0;
  await temporal('workflow', 'signal', '--workflow-id', guardianId(SERVICE), '--name', 'kill');
  await eventually(
    () => world.control.state(SERVICE),
    (state) => (state?.epoch ?? 0) > before,
  );
  expect(await guardianOf(world).query(guardianStatusQuery)).toMatchObject({
    latch: 'killed',
    because: 'no reason given',
  });
});

test('a trigger without a service fails at once and says what it expected', async () => {
  const start = ['workflow', 'start', '--type', 'trigger', '--task-queue', 'pawl-control', '--workflow-id'];
  for (const [n, input] of [[], ['--input', '17'], ['--input', '{"service": ""}']].entries()) {
    const workflowId = triggerId(SERVICE, `empty-${n}`);
    await temporal(...start, workflowId, ...input);
    await expect(world.client.workflow.getHandle(workflowId).result()).rejects.toMatchObject({
      cause: { type: 'Usage', message: 'expected an input such as {"service": "docs"}' },
    });
  }
});
