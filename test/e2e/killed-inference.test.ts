import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { modelCacheOf } from '../../adapters/models/of-environment.ts';
import type { Encoded, EncodeOrder } from '../../contracts/inference.ts';
import { queues } from '../../contracts/queues.ts';
import { seeded } from '../../domain/random.ts';
import { eventually } from '../../drills/eventually.ts';
import '../../drills/quiet-runtime.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { dataConverter, payloadConverterPath } from '../../infra/temporal/data-converter.ts';
import { temporalAddress } from '../support/temporal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TINY_VOCABULARY, tinyModel } from '../support/tiny-model.ts';

const TEXTS = 3_000;
const root = join(import.meta.dirname, '../..');

/** A process of its own, as `pawl worker infer` is. */
const startWorker = async (home: string, cache: string, devices: string): Promise<ChildProcess> => {
  const { PATH, HOME } = readEnvironment().variables;
  const env = {
    ...{ PATH, HOME, XDG_CACHE_HOME: cache, PAWL_HOME: home, PAWL_DEVICES: devices, PAWL_NAMESPACE: 'default' },
    ...{ PAWL_TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_CONFIG_FILE: join(home, 'none.toml') },
  };
  const child = spawn(process.execPath, [join(root, 'workers/infer.ts')], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  child.once('exit', (code) => code && process.stderr.write(`${devices} ended with ${code}: ${said}\n`));
  return child;
};

const startTexts = async (home: string, cache: string): Promise<EncodeOrder> => {
  const environment = readEnvironment({ ...readEnvironment().variables, XDG_CACHE_HOME: cache, PAWL_HOME: home });
  const folder = tinyModel(temporaryFolder(), { layers: 4, hidden: 128, intermediate: 512 });
  const { model } = await modelCacheOf(environment).import(`file:${folder}`);
  const random = seeded(1);
  const word = () => TINY_VOCABULARY[70 + Math.floor(random() * 100)] ?? 'cat';
  const lines = Array.from({ length: TEXTS }, (_, n) => {
    const text = Array.from({ length: 5 + Math.floor(random() * 50) }, word).join(' ');
    return `${JSON.stringify({ id: `${n}`, text })}\n`;
  });
  const texts = await folderArtifacts(homePaths(home).artifacts).put(lines.join(''));
  return { encoder: { base: model.id, adapter: null }, texts, side: 'document', maxLength: 64 };
};

test('inference goes on at another worker, on another device, when one is killed, and ends as if nothing had been', async () => {
  const [home, cache] = [temporaryFolder(), temporaryFolder()];
  const order = await startTexts(home, cache);
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'test/support/inference-workflow.ts'),
    payloadConverterPath,
    logger: new DefaultLogger('ERROR'),
  });
  const taskQueue = `killed-inference-${process.pid}`;
  const native = await NativeConnection.connect({ address: temporalAddress() });
  const worker = await Worker.create({ connection: native, workflowBundle: { code }, taskQueue, dataConverter });
  const running = worker.run();
  const connection = await Connection.connect({ address: temporalAddress() });
  onTestFinished(async () => {
    worker.shutdown();
    await running;
    await Promise.all([connection.close(), native.close()]);
  });
  const client = new Client({ connection, dataConverter });
  const encode = (name: string) =>
    client.workflow.start<(order: EncodeOrder) => Promise<Encoded>>('encodeOnce', {
      workflowId: `${taskQueue}-${name}`,
      taskQueue,
      args: [order],
    });

  const workers = await Promise.all(['cpu:0', 'cpu:1'].map((device) => startWorker(home, cache, device)));
  const disturbed = await encode('disturbed');
  const busy = await eventually(
    async () => (await disturbed.describe()).raw.pendingActivities?.[0],
    (activity) => (activity?.heartbeatDetails?.payloads?.length ?? 0) > 0,
    10,
  );
  const victim = workers.find(({ pid }) => busy?.lastWorkerIdentity === `${queues.infer}@${pid}`);
  const survivor = workers.find((one) => one !== victim);
  victim?.kill('SIGKILL');

  const ended = await disturbed.result();
  const { events = [] } = await disturbed.fetchHistory();
  const started = events?.find((event) => event.activityTaskStartedEventAttributes)?.activityTaskStartedEventAttributes;
  expect(started).toMatchObject({ attempt: 2, identity: `${queues.infer}@${survivor?.pid}` });
  expect(ended).toMatchObject({ count: TEXTS, dimensions: 128 });

  const undisturbed = await (await encode('undisturbed')).result();
  expect(ended).toEqual(undisturbed);
  const { events: calm = [] } = await client.workflow.getHandle(`${taskQueue}-undisturbed`).fetchHistory();
  expect(calm?.find((event) => event.activityTaskStartedEventAttributes)).toMatchObject({
    activityTaskStartedEventAttributes: { attempt: 1 },
  });
}, 300_000);
