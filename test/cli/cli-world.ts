/**
 * What a person has at a shell: a home made by `pawl init`, Temporal, workers with the real workflows, and `pawl` as a
 * process of its own. The stages' work is the test's own.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { createControlActivities } from '../../activities/control.ts';
import { failing } from '../../activities/failure.ts';
import { createStartActivities } from '../../activities/start.ts';
import { createTokenActivities } from '../../activities/tokens.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { readPeople } from '../../adapters/keys/people.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { EvidenceActivities, SealOrder } from '../../contracts/evidence.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveTemporal } from '../../infra/setup/temporal.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { startDevServer } from '../../infra/temporal/server.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import { sealing, stagesTo } from '../support/stages.ts';
import '../support/world.ts'; // The quiet runtime of the tests' workers.

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout holds, as JSON. */
  readonly json: unknown;
}

/** Runs `pawl` in a folder, away from whatever the environment of the tests says. */
export const pawlIn = async (folder: string, args: readonly string[], variables = {}): Promise<Ran> => {
  const { variables: outer } = readEnvironment();
  const env = { PATH: outer.PATH, HOME: outer.HOME, TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'), ...variables };
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    out.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    out.stderr += chunk;
  });
  const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return {
    ...out,
    code,
    get json() {
      return JSON.parse(out.stdout);
    },
  };
};

/** The error that --json prints: the last line of stderr. */
export const errorOf = ({ stderr }: Ran): { type: string; message: string; hint: string | null } =>
  JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error;

/** A folder with a small judged corpus, as a person brings it. */
export const folderWithData = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-cli-'));
  const topics = ['anchor', 'bridge', 'candle', 'dragon', 'engine', 'forest', 'garden', 'harbor'];
  const documents = topics.map((topic) => ({
    _id: topic,
    title: topic,
    text: `all about the ${topic} and its makers`,
  }));
  const queries = topics.map((topic) => ({ _id: `q-${topic}`, text: `who makes a ${topic}` }));
  const judged = (some: readonly string[]) =>
    ['query-id\tcorpus-id\tscore', ...some.map((topic) => `q-${topic}\t${topic}\t1`)].join('\n');
  await writeFile(join(folder, 'corpus.jsonl'), documents.map((one) => JSON.stringify(one)).join('\n'));
  await writeFile(join(folder, 'queries.jsonl'), queries.map((one) => JSON.stringify(one)).join('\n'));
  await writeFile(join(folder, 'train.tsv'), judged(topics.slice(0, 6)));
  await writeFile(join(folder, 'test.tsv'), judged(topics.slice(6)));
  return folder;
};

export const INIT = ['init', '--service', 'docs', '--corpus', 'corpus.jsonl', '--queries', 'queries.jsonl'].concat([
  '--train',
  'train.tsv',
  '--test',
  'test.tsv',
  '--person',
  'ada',
]);

export interface CliWorld {
  readonly home: string;
  readonly client: Client;
  readonly control: ControlStore;
  readonly champion: string;
  readonly challenger: string;
  plan: CyclePlan;
  stages: StageActivities;
  sealEvidence: EvidenceActivities['sealEvidence'];
  pawl(...args: readonly string[]): Promise<Ran>;
  startWorkers(): Promise<void>;
  stopWorkers(): Promise<void>;
  stopTemporal(): Promise<void>;
  end(): Promise<void>;
}

export const createCliWorld = async (): Promise<CliWorld> => {
  const home = await folderWithData();
  const [port = 0] = await freePorts(1);
  const { path: binary } = await resolveTemporal(readEnvironment());
  const server = await startDevServer({
    binary,
    port,
    host: '127.0.0.1',
    uiPort: null,
    namespace: 'default',
    database: null,
    log: join(home, 'temporal.log'),
  });
  const pawl = (...args: readonly string[]) => pawlIn(home, args, { PAWL_TEMPORAL_ADDRESS: server.address });
  const made = await pawl(...INIT);
  if (made.code !== 0) throw new Error(made.stderr);

  const control = sqliteControl(homePaths(home).control);
  const artifacts = folderArtifacts(homePaths(home).artifacts);
  const other = await saveVariant(artifacts, 'docs', { ...DEFAULT_SETTINGS, stemming: true });
  await control.addVariant({ ...other, service: 'docs', origin: 'hand', createdAt: new Date().toISOString() });
  const champion = (await control.state('docs'))?.champion ?? '';

  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  const codePath = await workflowBundle();
  const deps = {
    control,
    people: () => readPeople(home),
    policy: shippedPolicy,
    services: servicesOf(() => world.plan),
    now: Date.now,
  };
  let workers: Array<{ worker: Worker; done: Promise<void> }> = [];
  const world: CliWorld = {
    home,
    client,
    control,
    champion,
    challenger: other.id,
    plan: testPlan(),
    stages: stagesTo(other.id),
    ...sealing,
    pawl,
    startWorkers: async () => {
      const stage = (name: keyof StageActivities) => (input: never) =>
        (world.stages[name] as (input: never) => Promise<unknown>)(input);
      const names = Object.keys(world.stages) as Array<keyof StageActivities>;
      const created = await Promise.all([
        Worker.create({
          connection: native,
          taskQueue: queues.control,
          workflowBundle: { codePath },
          activities: {
            ...createControlActivities(deps),
            ...createTokenActivities(deps),
            ...createStartActivities(deps),
            ...createAdmissionActivities({ ...deps, client }),
            ...failing({ readPlan: async () => world.plan }),
          },
        }),
        Worker.create({
          connection: native,
          taskQueue: queues.data,
          activities: {
            ...failing(Object.fromEntries(names.map((name) => [name, stage(name)]))),
            sealEvidence: (order: SealOrder) => world.sealEvidence(order),
          },
        }),
      ]);
      workers = created.map((worker) => ({ worker, done: worker.run() }));
    },
    stopWorkers: async () => {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ done }) => done));
      workers = [];
    },
    stopTemporal: () => server.stop(),
    end: async () => {
      await world.stopWorkers();
      await Promise.all([native.close(), connection.close()]);
      await server.stop();
      control.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  await world.startWorkers();
  return world;
};
