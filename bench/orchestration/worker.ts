/** A worker process of one side. It runs until its parent goes, and says what CPU time it has used when it is asked. */
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { createControlActivities } from '../../activities/control.ts';
import { createStartActivities } from '../../activities/start.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { queues } from '../../contracts/queues.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { noOpPlan, noOpStages } from './no-op.ts';
import { BARE_DATA_QUEUE, BARE_QUEUE, type Side, type SideSetup } from './sides.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const noop = async () => ({ done: true }) as const;

/** What `workers/control.ts` and `workers/data.ts` wire, with stages that do nothing. */
const pawl = async ({ address, bundle, home }: SideSetup, connection: NativeConnection): Promise<Worker[]> => {
  const client = new Client({ connection: await Connection.connect({ address }), dataConverter });
  const control = sqliteControl(join(home, 'control.db'));
  const config = async () => ({ ...noOpPlan, approval: { required: false, expires: 0, quorum: 1 } });
  const deps = {
    control,
    policy: cedarPolicy({ home }),
    services: { config, all: async () => [await config()] },
    people: async () => [],
    now: Date.now,
  };
  return Promise.all([
    Worker.create({
      connection,
      dataConverter,
      taskQueue: queues.control,
      workflowBundle: { codePath: bundle },
      activities: {
        ...createControlActivities(deps),
        ...createStartActivities(deps),
        ...createAdmissionActivities({ ...deps, client }),
        readPlan: async () => noOpPlan,
      },
    }),
    Worker.create({ connection, dataConverter, taskQueue: queues.data, activities: { ...noOpStages } }),
  ]);
};

const bare = async ({ bundle }: SideSetup, connection: NativeConnection): Promise<Worker[]> =>
  Promise.all([
    Worker.create({ connection, taskQueue: BARE_QUEUE, workflowBundle: { codePath: bundle }, activities: { noop } }),
    Worker.create({ connection, taskQueue: BARE_DATA_QUEUE, activities: { noop } }),
  ]);

const sides: Record<Side, (setup: SideSetup, connection: NativeConnection) => Promise<Worker[]>> = { pawl, bare };

const setup: SideSetup = JSON.parse(process.argv[2] ?? '');
const connection = await NativeConnection.connect({ address: setup.address });
const workers = await sides[setup.side](setup, connection);
process.on('message', () => process.send?.(process.cpuUsage()));
process.once('disconnect', () => process.exit());
process.send?.('ready');
await Promise.all(workers.map((worker) => worker.run()));
