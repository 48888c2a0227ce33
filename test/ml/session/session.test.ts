import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Graph } from '../../../ml/graph/graph.ts';
import { openSession, type Session, type SessionChoice } from '../../../ml/session/session.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const CPU: SessionChoice = { provider: 'cpu', threads: 1, arena: true };
const x = (...rows: readonly (readonly [number, number])[]) =>
  ({ type: 'float32', shape: [rows.length, 2], data: new Float32Array(rows.flat()) }) as const;

/** y = x · w, with w [2, 3] = 0 … 5 in a file of the folder, after four bytes of something else. */
const product = (file = 'weights.bin'): { model: Uint8Array; folder: string } => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'weights.bin'), new Uint8Array(new Float32Array([99, 0, 1, 2, 3, 4, 5]).buffer));
  const graph = new Graph();
  const weight = graph.external('w', [2, 3], { file, offset: 4, length: 24 });
  graph.output('y', graph.matmul(graph.input('x', ['rows', 2]), weight));
  return { model: graph.toModel(), folder };
};
const opened = async (choice: SessionChoice = CPU, file?: string): Promise<Session> => {
  const { model, folder } = product(file);
  const session = await openSession(model, folder, choice);
  onTestFinished(() => session.close());
  return session;
};

test('a session reads its weights where they lie, and serves any number of rows', async () => {
  const session = await opened();
  expect((await session.run({ x: x([1, 2]) })).y).toEqual({ shape: [1, 3], data: new Float32Array([6, 9, 12]) });
  expect((await session.run({ x: x([1, 0], [0, 1]) })).y?.shape).toEqual([2, 3]);
});

test('a session leaves nothing in the folder of its weights', async () => {
  const { model, folder } = product();
  await (await openSession(model, folder, CPU)).close();
  expect(readdirSync(folder)).toEqual(['weights.bin']);
});

test('weights outside of the folder are refused', async () => {
  await expect(opened(CPU, '../weights.bin')).rejects.toMatchObject({ type: 'NotFound' });
  await expect(opened(CPU, '/etc/passwd')).rejects.toMatchObject({ type: 'NotFound' });
});

test('weights that are not there are said to be missing, with the folder', async () => {
  await expect(opened(CPU, 'elsewhere.bin')).rejects.toThrow(/weights are not where it says, in .*pawl-test/);
});

test('an output lies in the array that was given for it', async () => {
  const session = await opened();
  const y = new Float32Array(6);
  const results = await session.run({ x: x([1, 0], [0, 1]) }, { y });
  expect(y).toEqual(new Float32Array([0, 1, 2, 3, 4, 5]));
  expect(results.y?.shape).toEqual([2, 3]);
  await session.run({ x: x([0, 1], [1, 0]) }, { y });
  expect(y).toEqual(new Float32Array([3, 4, 5, 0, 1, 2]));
});

test('an array of another size than the output is refused before anything runs', async () => {
  const session = await opened();
  await expect(session.run({ x: x([1, 0]) }, { y: new Float32Array(6) })).rejects.toThrow(
    'The array for y holds 6 numbers; its shape is [1,3].',
  );
});

test('a feed that is missing, and one that no graph asked for, are named', async () => {
  const session = await opened();
  await expect(session.run({ z: x([1, 0]) })).rejects.toThrow('not fed: x; no such input: z');
});

test('a session that was closed runs no more, and may be closed again', async () => {
  const session = await opened();
  await session.close();
  await session.close();
  await expect(session.run({ x: x([1, 2]) })).rejects.toThrow('The session is closed.');
});

// On a machine with the device these two would open; the test is about those that have none.
test.for(['cuda', 'webgpu'] as const)(
  '%s that cannot be had is an error that says how to have it',
  async (provider) => {
    const outcome = await opened({ ...CPU, provider, device: 0 }).then(
      () => 'it is here',
      (error: { type: string; hint: string }) => error,
    );
    if (outcome === 'it is here') return;
    expect(outcome).toMatchObject({
      type: 'SetupFailed',
      message: expect.stringContaining(`${provider}:0 cannot be used on this machine`),
      hint: expect.stringMatching(/PAWL_DEVICES=cpu:0.*docs\/guide\/models\.md/),
    });
  },
);
