/** A service that runs as `pawl up` runs it, with visitors who ask it all the time. */
import { rmSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { Processes } from '../../drills/processes.ts';
import { type HomeOptions, makeServiceHome, type ServiceHome } from '../../drills/service-home.ts';
import { Visitors } from '../../infra/story/visitors.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { type LiveCycles, liveCycles } from './live-cycles.ts';

export type { LiveCycle } from './live-cycles.ts';

export interface LiveService extends ServiceHome, LiveCycles {
  readonly processes: Processes;
  readonly client: Client;
  readonly visitors: Visitors;
  end(): Promise<void>;
}

export const startLiveService = async (options: HomeOptions = {}): Promise<LiveService> => {
  const made = await makeServiceHome(options);
  const processes = await Processes.startAll(made.home);
  const connection = Connection.lazy({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  const visitors = new Visitors(processes.gateway);
  visitors.ask(made.wishes);
  visitors.start();

  return {
    ...made,
    ...liveCycles(client, made.sign),
    processes,
    client,
    visitors,
    end: async () => {
      await visitors.stop();
      await connection.close();
      await processes.end();
      made.control.close();
      rmSync(made.home, { recursive: true, force: true });
    },
  };
};
