import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from '../setup/environment.ts';
import { withProgress } from '../setup/progress.mjs';
import { dataConverter } from './data-converter.ts';
import { type TemporalTarget, temporalTarget } from './target.ts';

export interface Temporal {
  readonly target: TemporalTarget;
  readonly connection: Connection;
  readonly client: Client;
  close(): Promise<void>;
}

/** How long a command waits for a server that may just be starting. */
const WAIT_MS = 10_000;
const TRY_MS = 2_000;

export async function connectTemporal(environment: Environment, waitMs = WAIT_MS): Promise<Temporal> {
  const target = temporalTarget(environment);
  const connection = await untilReachable(target, waitMs, () =>
    Connection.connect({ ...target.options, address: target.address, connectTimeout: TRY_MS }),
  );
  const client = new Client({ connection, namespace: target.namespace, dataConverter });
  return { target, connection, client, close: () => connection.close() };
}

/** The worker's own kind of connection. */
export async function connectWorker(
  environment: Environment,
  waitMs = WAIT_MS,
): Promise<{ connection: NativeConnection; target: TemporalTarget }> {
  const target = temporalTarget(environment);
  const connection = await untilReachable(target, waitMs, () =>
    NativeConnection.connect({ ...target.options, address: target.address }),
  );
  return { connection, target };
}

function untilReachable<C>({ address }: TemporalTarget, waitMs: number, connect: () => Promise<C>): Promise<C> {
  return withProgress(`Waiting for Temporal at ${address}`, async (detail) => {
    const deadline = Date.now() + waitMs;
    for (;;) {
      try {
        return await connect();
      } catch (error) {
        if (Date.now() >= deadline) throw unreachable(address, error);
        detail(error instanceof Error ? error.message : String(error));
        await pause(200);
      }
    }
  });
}

const unreachable = (address: string, cause: unknown): PawlError =>
  new PawlError('Unavailable', `Temporal is not reachable at ${address}.`, {
    hint: 'Start it with `pawl up`, or set PAWL_TEMPORAL_ADDRESS. (`pawl doctor` checks everything.)',
    cause,
  });
