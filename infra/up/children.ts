/** What `pawl up` runs. */
import { extname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { type Queue, queues } from '../../contracts/queues.ts';
import { type DevServerOptions, devServerArguments, devServerReady } from '../temporal/server.ts';
import type { ChildSpec } from './child.ts';

const { TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
const root = resolve(import.meta.dirname, '../..');

export interface Addresses {
  readonly temporal: string;
  readonly namespace: string;
  readonly gateway: string;
}
type Variables = ChildSpec['env'];

export function temporalChild(server: DevServerOptions, env: Variables): ChildSpec {
  return {
    name: 'temporal',
    command: server.binary,
    args: devServerArguments(server),
    env,
    after: [],
    ready: (_, gone) => devServerReady(`${server.host}:${server.port}`, server.namespace, gone),
    graceMs: 10_000,
  };
}

/** `env` tells them the home and the addresses. */
export function pawlChildren(addresses: Addresses, env: Variables, after: readonly string[]): ChildSpec[] {
  const worker = (name: string, queue: Queue): ChildSpec => ({
    name: `worker-${name}`,
    ...runs(`workers/${name}`),
    env,
    after,
    ready: (pid, gone) => polls(addresses, queue, pid, gone),
    graceMs: 20_000,
  });
  /** Training and inference may take all that is left of the machine, and nothing from those who serve. */
  const behindOthers = (spec: ChildSpec): ChildSpec =>
    process.platform === 'win32' ? spec : { ...spec, command: 'nice', args: ['-n', '10', spec.command, ...spec.args] };
  return [
    {
      name: 'gateway',
      ...runs('gateway/main'),
      env,
      after,
      ready: (_, gone) => answers(`${addresses.gateway}/health`, gone),
      graceMs: 15_000,
    },
    worker('control', queues.control),
    worker('data', queues.data),
    behindOthers(worker('train', queues.train)),
    behindOthers(worker('infer', queues.infer)),
  ];
}

/** The packed program runs as JavaScript: an entry has the extension that this file has. */
const runs = (entry: string): Pick<ChildSpec, 'command' | 'args'> => ({
  command: process.execPath,
  args: [join(root, `${entry}${extname(import.meta.filename)}`)],
});

async function answers(url: string, gone: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(url, { signal: AbortSignal.any([gone, AbortSignal.timeout(2_000)]) }).catch(() => null);
    if (answer?.ok) return;
    await pause(100, undefined, { signal: gone });
  }
}

/**
 * Temporal has seen this very process ask for work: workers name themselves `queue@pid`. While Temporal is away the
 * worker waits for it, and so does this.
 */
async function polls(addresses: Addresses, queue: Queue, pid: number, gone: AbortSignal): Promise<void> {
  for (;;) {
    const identities = await pollersOf(addresses, queue).catch(() => []);
    if (identities.some((identity) => identity.endsWith(`@${pid}`))) return;
    await pause(200, undefined, { signal: gone });
  }
}

async function pollersOf({ temporal, namespace }: Addresses, queue: Queue): Promise<string[]> {
  const connection = await Connection.connect({ address: temporal, connectTimeout: '2s' });
  try {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
    });
    return pollers.map(({ identity }) => identity ?? '');
  } finally {
    await connection.close();
  }
}
