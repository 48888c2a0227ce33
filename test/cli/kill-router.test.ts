import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROUTER_SECRET, startRouteServer } from '../support/route-server.ts';
import { folderWithData, INIT, pawlIn } from './cli-world.ts';

/** A home whose service has a router of its owner's, and no Temporal. */
const home = async () => {
  const folder = await folderWithData();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const server = await startRouteServer();
  const made = await pawlIn(folder, INIT);
  if (made.code !== 0) throw new Error(made.stderr);
  await writeFile(join(folder, 'router-secret.txt'), ROUTER_SECRET);
  const router = { hook: server.hook, secret: { file: 'router-secret.txt' }, allow: server.allow };
  await appendFile(join(folder, 'pawl.yaml'), `\nrouter: ${JSON.stringify(router)}\n`);
  const kill = (...args: readonly string[]) => pawlIn(folder, ['kill', ...args, '--break-glass', '--reason', 'now']);
  return { server, kill };
};

test('a kill past all workers is told to the router by the command itself', async () => {
  const { server, kill } = await home();
  expect((await kill()).code).toBe(0);
  expect(await server.router().read('docs')).toMatchObject({ token: { epoch: 1 } });
  expect((await kill('--all')).code).toBe(0);
  expect(await server.router().read('docs')).toMatchObject({ token: { epoch: 2 } });
});

test('a router that does not hear it keeps nobody from killing, and the command says so', async () => {
  const { server, kill } = await home();
  server.faults.push((response) => response.writeHead(503).end());
  const killed = await kill();
  expect(killed).toMatchObject({ code: 0, stdout: expect.stringContaining('killed: epoch 1') });
  expect(killed.stderr).toContain('The router of docs was not told');
  expect(killed.stderr).toContain('503');
});
