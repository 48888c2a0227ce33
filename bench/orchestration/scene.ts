/** A Temporal server, a worker process for each side, and what is run on them. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import { PawlError } from '../../contracts/failures.ts';
import { admitUpdate, type CycleEnd } from '../../contracts/messages.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveTemporal } from '../../infra/setup/temporal.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { startDevServer } from '../../infra/temporal/server.ts';
import { challengerOf, championOf } from './no-op.ts';
import { type MeasuredProcess, serverProcess, startWorker } from './processes.ts';
import { BARE_QUEUE, type BareInput, type Side } from './sides.ts';

const barePath = fileURLToPath(new URL('bare.ts', import.meta.url));
const actor = { kind: 'person', name: 'bench' };

export interface Scene {
  readonly client: Client;
  readonly serverVersion: string;
  readonly server: MeasuredProcess;
  readonly workers: Readonly<Record<Side, MeasuredProcess>>;
  /** One cycle of each service, from the request to the guardian to its end; answers with their workflow ids. */
  cycles(services: readonly string[]): Promise<string[]>;
  /** So many bare workflows at once; answers with their workflow ids. */
  bares(count: number, input: BareInput): Promise<string[]>;
  close(): Promise<void>;
}

export const openScene = async (services: readonly string[]): Promise<Scene> => {
  const home = mkdtempSync(join(tmpdir(), 'pawl-bench-'));
  await registerAll(home, services);
  const { path: binary } = await resolveTemporal(readEnvironment());
  const [port = 0] = await freePorts(1);
  const temporal = await startDevServer({
    binary,
    host: '127.0.0.1',
    port,
    uiPort: null,
    namespace: 'default',
    // In memory: how fast this machine's disk is, is not what the comparison is about.
    database: null,
    log: join(home, 'temporal.log'),
  });
  const { address } = temporal;
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, dataConverter });
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const pawl = await startWorker({ side: 'pawl', address, home, bundle: await workflowBundle() });
  const bare = await startWorker({ side: 'bare', address, home, bundle: await workflowBundle(home, barePath) });

  const cycle = async (service: string): Promise<string> => {
    const admission = await client.workflow.executeUpdateWithStart(admitUpdate, {
      args: [{ key: randomUUID(), trigger: 'schedule', requestedBy: actor, reason: 'a benchmark' }],
      startWorkflowOperation: guardianStart(service),
    });
    if (!admission.admitted) throw new PawlError('Refused', `No cycle of ${service}: ${admission.because}`);
    const end = await client.workflow.getHandle<() => Promise<CycleEnd>>(admission.workflowId).result();
    if (end.outcome !== 'promoted') throw new PawlError('Internal', `${end.outcome}: ${end.because}`);
    return admission.workflowId;
  };
  const bareRun = async (input: BareInput): Promise<string> => {
    const workflowId = `bare-${randomUUID()}`;
    await client.workflow.execute('bare', { workflowId, taskQueue: BARE_QUEUE, args: [input] });
    return workflowId;
  };

  return {
    client,
    serverVersion,
    server: serverProcess(temporal.process.pid ?? 0),
    workers: { pawl, bare },
    cycles: (of) => Promise.all(of.map(cycle)),
    bares: (count, input) => Promise.all(Array.from({ length: count }, () => bareRun(input))),
    close: async () => {
      for (const worker of [pawl, bare]) worker.stop();
      await connection.close();
      await temporal.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};

const registerAll = async (home: string, services: readonly string[]): Promise<void> => {
  const control = sqliteControl(join(home, 'control.db'));
  for (const service of services) {
    for (const id of [championOf(service), challengerOf(service)]) {
      const artifact = { uri: `artifact:sha256/${id}`, sha256: id };
      await control.addVariant({ id, service, artifact, origin: 'hand', createdAt: '2026-01-01T00:00:00.000Z' });
    }
    const order = { service, actor, reason: 'a benchmark' };
    await control.register({ ...order, key: `${service}/register`, champion: championOf(service) });
    await control.setGold({ ...order, key: `${service}/gold`, variant: championOf(service) });
    await control.arm({ ...order, key: `${service}/arm` });
  }
  control.close();
};
