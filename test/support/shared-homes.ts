/**
 * Two homes on one PostgreSQL and one place for artifacts, as on two machines: the same service, the same people and the same
 * ledger key, a gateway and workers in each, one Temporal server. What they share they know from their environment alone.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { tokenHasher } from '../../adapters/access/token.ts';
import { homePaths } from '../../adapters/home.ts';
import { createOperatorKey } from '../../adapters/keys/operator-key.ts';
import { subjectHasher } from '../../adapters/keys/subject-key.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import { Processes, type ProcessesOptions } from '../../drills/processes.ts';
import { enrol, type HomeSettings, SERVICE, signerOf, type Wish, writeService } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { type HomeDeps, openHome } from '../../workers/home.ts';
import { pawlIn, type Ran } from '../cli/cli-world.ts';
import { type LiveCycles, liveCycles } from './live-cycles.ts';
import { hasS3Server, KEYS, startS3Server } from './s3.ts';

export interface SharedHome {
  readonly home: string;
  readonly deps: HomeDeps;
  readonly processes: Processes;
  /** What a process of this home finds in its environment. */
  readonly variables: Readonly<Record<string, string>>;
  pawl(...args: readonly string[]): Promise<Ran>;
}

export interface SharedHomes extends LiveCycles {
  readonly homes: readonly [SharedHome, SharedHome];
  readonly client: Client;
  readonly gold: string;
  readonly wishes: readonly Wish[];
  end(): Promise<void>;
}

export const startSharedHomes = async (store: string, settings: HomeSettings): Promise<SharedHomes> => {
  const ends = new AsyncDisposableStack();
  try {
    return await start(store, settings, ends);
  } catch (error) {
    await ends.disposeAsync();
    throw error;
  }
};

const start = async (store: string, settings: HomeSettings, ends: AsyncDisposableStack): Promise<SharedHomes> => {
  const root = mkdtempSync(join(tmpdir(), 'pawl-shared-'));
  ends.defer(() => rmSync(root, { recursive: true, force: true }));
  const place = await artifactsIn(root, ends);
  const make = (name: string) => {
    const home = join(root, name);
    mkdirSync(homePaths(home).state, { recursive: true });
    place.link(homePaths(home).artifacts);
    writeService(home, SERVICE, settings);
    return { home, variables: { PAWL_HOME: home, PAWL_STORE: store, ...place.variables } };
  };
  const open = (made: ReturnType<typeof make>) => {
    const deps = openHome(readEnvironment(made.variables));
    ends.defer(() => deps.close());
    return { ...made, deps };
  };
  const startAll = async (home: string, options: ProcessesOptions) => {
    const processes = await Processes.startAll(home, options);
    ends.defer(() => processes.end());
    return processes;
  };

  const one = open(make('first'));
  await createOperatorKey(one.home, { name: 'ada' });
  const gold = await enrol(one.deps.control, one.deps.artifacts, SERVICE);
  const made = make('second');
  share(one.home, made.home); // Before the second one writes to the ledger.
  const other = open(made);

  const first = await startAll(one.home, { workers: ['worker-control', 'worker-data'], variables: one.variables });
  const { temporal } = first;
  const second = await startAll(other.home, { temporal, variables: other.variables });
  const connection = Connection.lazy({ address: temporal });
  ends.defer(() => connection.close());
  const client = new Client({ connection, dataConverter });
  const live = await readJudgedQueries(await one.deps.services.config(SERVICE), 'live');
  const withPawl = (of: typeof one, processes: Processes): SharedHome => ({
    ...of,
    processes,
    pawl: (...args) => pawlIn(of.home, args, { ...of.variables, PAWL_TEMPORAL_ADDRESS: temporal }),
  });
  return {
    ...liveCycles(client, await signerOf(one.home)),
    homes: [withPawl(one, first), withPawl(other, second)],
    client,
    gold,
    wishes: live.map(({ text, judgements }) => ({ text, document: Object.keys(judgements)[0] ?? '' })),
    end: () => ends.disposeAsync(),
  };
};

/** What a team keeps in Git, and the keys that whoever sets up a second home copies: of the ledger, of API keys, of subjects. */
export const share = (from: string, to: string): void => {
  const [own, copies] = [homePaths(from).keys, homePaths(to).keys];
  tokenHasher(own)('makes its secret');
  subjectHasher(own)('makes its secret');
  mkdirSync(copies, { recursive: true, mode: 0o700 });
  for (const name of ['ledger.pem', 'access.key', 'subjects.key']) cpSync(join(own, name), join(copies, name));
  if (existsSync(homePaths(from).people)) cpSync(homePaths(from).people, homePaths(to).people);
};

interface Place {
  readonly variables: Readonly<Record<string, string>>;
  readonly link: (artifacts: string) => void;
}

/** In a bucket, where there is a server for one; otherwise in a folder that both homes see. */
const artifactsIn = async (root: string, ends: AsyncDisposableStack): Promise<Place> => {
  if (!hasS3Server) {
    const folder = join(root, 'artifacts');
    mkdirSync(folder);
    return { variables: {}, link: (artifacts) => symlinkSync(folder, artifacts) };
  }
  const { location, stop } = await startS3Server();
  ends.defer(stop);
  const { endpoint, region, bucket } = location;
  const variables = {
    PAWL_ARTIFACTS: `s3://${bucket}/race?endpoint=${endpoint}&region=${region}`,
    AWS_ACCESS_KEY_ID: KEYS.keyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secret,
  };
  return { variables, link: () => undefined };
};
