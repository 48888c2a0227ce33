import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { queues } from '../../contracts/queues.ts';
import type { Environment } from '../setup/environment.ts';
import { isOlder, OLDEST_SERVER } from '../setup/temporal-version.ts';
import { isFree } from '../temporal/ports.ts';
import { missingSearchAttributes } from '../temporal/search-attributes.ts';
import { type TemporalTarget, temporalTarget } from '../temporal/target.ts';
import { attempt, type Check, failed, ok, warning } from './check.ts';

const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
const SECOND = 1_000;
const REACH_MS = 3 * SECOND;
/** A poll is renewed every minute; a worker that was silent for longer is gone. */
const SILENT_MS = 90 * SECOND;

export async function temporalChecks(environment: Environment): Promise<Check[]> {
  const target = temporalTarget(environment);
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...target.options, address: target.address, connectTimeout: REACH_MS });
  } catch {
    return [await unreachable(target)];
  }
  try {
    const asked = connection;
    return await asked.withDeadline(Date.now() + 15 * SECOND, () =>
      Promise.all([
        attempt('Temporal', () => serverCheck(asked, target)),
        attempt('Namespace', () => namespaceCheck(asked, target)),
        attempt('Search attributes', () => searchAttributesCheck(asked, target)),
        attempt('Clock', () => clockCheck(asked, target)),
        ...Object.values(queues).map((queue) => attempt(`Queue ${queue}`, () => queueCheck(asked, target, queue))),
      ]),
    );
  } finally {
    await connection.close();
  }
}

async function unreachable({ address }: TemporalTarget): Promise<Check> {
  const { hostname, port } = new URL(`http://${address}`);
  const isLocal = hostname === '127.0.0.1' || hostname === 'localhost';
  if (isLocal && !(await isFree(Number(port)))) {
    const mend = 'End that program, or set PAWL_TEMPORAL_PORT to a free port.';
    return failed('Temporal', `port ${port} is taken by something that is not Temporal`, mend);
  }
  const mend = 'Start it with `pawl up`, or set PAWL_TEMPORAL_ADDRESS.';
  return failed('Temporal', `not reachable at ${address}; what stands on it was not checked`, mend);
}

async function serverCheck(connection: Connection, { address }: TemporalTarget): Promise<Check> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const found = `${address}, server ${serverVersion}`;
  return isOlder(serverVersion, OLDEST_SERVER)
    ? warning('Temporal', found, `Pawl was tried on ${OLDEST_SERVER} and later; upgrade the server.`)
    : ok('Temporal', found);
}

async function namespaceCheck(connection: Connection, { namespace }: TemporalTarget): Promise<Check> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return ok('Namespace', namespace);
  } catch (error) {
    const found = `${namespace}: ${error instanceof Error ? error.message : error}`;
    return failed('Namespace', found, `\`temporal operator namespace create -n ${namespace}\`, or set PAWL_NAMESPACE.`);
  }
}

async function searchAttributesCheck(connection: Connection, { namespace }: TemporalTarget): Promise<Check> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return ok('Search attributes', 'all registered');
  const options = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
  const mend = `\`temporal operator search-attribute create -n ${namespace} ${options}\``;
  return failed('Search attributes', `missing: ${missing.join(', ')}`, mend);
}

async function queueCheck(connection: Connection, { namespace }: TemporalTarget, queue: string): Promise<Check> {
  const types =
    queue === queues.control ? [TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY] : [TASK_QUEUE_TYPE_ACTIVITY];
  const counts = await Promise.all(types.map((type) => livePollers(connection, namespace, queue, type)));
  const fewest = Math.min(...counts);
  return fewest > 0
    ? ok(`Queue ${queue}`, `${fewest} ${fewest === 1 ? 'worker' : 'workers'}`)
    : failed(`Queue ${queue}`, 'nobody works on it', 'Start its worker with `pawl up`, or with `pawl worker`.');
}

async function livePollers(
  connection: Connection,
  namespace: string,
  name: string,
  taskQueueType: number,
): Promise<number> {
  const described = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name },
    taskQueueType,
  });
  return described.pollers.filter(({ lastAccessTime }) => Date.now() - millis(lastAccessTime) < SILENT_MS).length;
}

/**
 * Temporal has no call that tells its time. But it notes when a queue was last polled: this polls one that nobody else
 * knows, reads what was noted, and lets go of the poll.
 */
async function clockCheck(connection: Connection, { namespace }: TemporalTarget): Promise<Check> {
  const taskQueue = { name: `pawl-doctor-${randomUUID()}` };
  const letGo = new AbortController();
  const here = Date.now();
  const poll = connection.withAbortSignal(letGo.signal, () =>
    connection.workflowService.pollActivityTaskQueue({ namespace, taskQueue, identity: 'pawl doctor' }),
  );
  const over = poll.then(
    () => 'over' as const,
    () => 'over' as const,
  );
  try {
    for (;;) {
      const described = connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue,
        taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
      });
      const noted = (await described).pollers[0];
      if (noted) return skewCheck(millis(noted.lastAccessTime) - here);
      if ((await Promise.race([over, pause(50)])) === 'over') break;
    }
  } finally {
    letGo.abort();
  }
  return warning('Clock', 'could not be compared with that of Temporal', 'Run `pawl doctor` again.');
}

export function skewCheck(ms: number): Check {
  const seconds = Math.abs(ms) / SECOND;
  const found = `${seconds.toFixed(1)} s apart from that of Temporal`;
  const mend =
    'Let a time service (chrony, systemd-timesyncd) set the clock: approvals expire and promises are kept by it.';
  if (seconds > 60) return failed('Clock', found, mend);
  return seconds > 5 ? warning('Clock', found, mend) : ok('Clock', found);
}

type Timestamp = { seconds?: { toString(): string } | null; nanos?: number | null } | null | undefined;
const millis = (at: Timestamp): number => Number(at?.seconds?.toString() ?? 0) * SECOND + (at?.nanos ?? 0) / 1e6;
