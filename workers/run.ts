/** One worker process: connected, polling until it is told to stop, then draining what it has begun. */
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Environment } from '../infra/setup/environment.ts';
import { connectWorker } from '../infra/temporal/connect.ts';
import { dataConverter } from '../infra/temporal/data-converter.ts';

/** A server that was just started, or restarted, may take this long. */
const PATIENCE_MS = 60_000;

export const runWorker = async (
  environment: Environment,
  options: Omit<WorkerOptions, 'connection'>,
): Promise<void> => {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const { connection, target } = await connectWorker(environment, PATIENCE_MS);
  try {
    const worker = await Worker.create({
      ...options,
      connection,
      dataConverter,
      namespace: target.namespace,
      identity: `${options.taskQueue}@${process.pid}`,
      // A worker that was killed holds its cached workflows no longer than this.
      stickyQueueScheduleToStartTimeout: '3s',
      shutdownGraceTime: '10s',
    });
    await worker.run();
  } finally {
    await connection.close();
  }
};
