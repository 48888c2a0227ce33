import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, onTestFinished, test } from 'vitest';
import { startOf } from '../../infra/setup/lock.mjs';
import { freePorts, isFree } from '../../infra/temporal/ports.ts';
import { missingSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { type DevServerOptions, startDevServer } from '../../infra/temporal/server.ts';
import { temporalAddress, temporalBinary } from '../support/temporal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const optionsIn = async (folder: string): Promise<DevServerOptions> => {
  const [port = 0, uiPort = 0] = await freePorts(2);
  return {
    binary: temporalBinary(),
    host: '127.0.0.1',
    port,
    uiPort,
    namespace: 'pawl-test',
    database: join(folder, 'state', 'temporal.db'),
    log: join(folder, 'logs', 'temporal.log'),
  };
};
const start = async (options: DevServerOptions) => {
  const server = await startDevServer(options);
  onTestFinished(() => server.stop());
  return server;
};
const connect = async (address: string): Promise<Connection> => {
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  return connection;
};

test('what it holds is still there after a restart, on the same port, with every search attribute', async () => {
  const options = await optionsIn(temporaryFolder());
  const first = await start(options);
  const client = new Client({ connection: await connect(first.address), namespace: 'pawl-test' });
  await client.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody' });
  await first.stop();
  expect(startOf(first.process.pid ?? 0)).toBeNull();

  const second = await start(options);
  const connection = await connect(second.address);
  const again = new Client({ connection, namespace: 'pawl-test' });
  expect((await again.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  expect(await missingSearchAttributes(connection, 'pawl-test')).toEqual([]);
});

test('a port that is taken is named, with what to do, before anything starts', async () => {
  const [, port = ''] = temporalAddress().split(':');
  const options = { ...(await optionsIn(temporaryFolder())), port: Number(port) };
  await expect(startDevServer(options)).rejects.toMatchObject({
    type: 'SetupFailed',
    message: `Port ${port} of 127.0.0.1, meant for Temporal, is taken by another program.`,
    hint: expect.stringContaining('PAWL_TEMPORAL_PORT'),
  });
});

test('a server that dies while it starts is an error with its last words', async () => {
  const folder = temporaryFolder();
  const binary = join(folder, 'temporal');
  writeFileSync(binary, '#!/bin/sh\necho "database disk image is malformed"\nexit 7\n');
  chmodSync(binary, 0o755);
  await expect(startDevServer({ ...(await optionsIn(folder)), binary })).rejects.toMatchObject({
    type: 'SetupFailed',
    message: 'Temporal did not start: it ended with exit code 7.\n  database disk image is malformed',
  });
});

test('free ports are free, and differ', async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  for (const port of ports) expect(await isFree(port)).toBe(true);
});
