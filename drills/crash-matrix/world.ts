/**
 * Where the trials run: a Temporal dev server, a home in a temporary folder, the product's own workers over its own embedded
 * adapters, and a service for each trial, so that many run side by side. Every call to an adapter passes the fault line of its
 * service's trial.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createStageActivities } from '../../activities/stages.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { homePaths } from '../../adapters/home.ts';
import { createOperatorKey } from '../../adapters/keys/operator-key.ts';
import type { QueryLog } from '../../adapters/query-log/port.ts';
import { loadService } from '../../adapters/service/config.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import { logVitals } from '../../adapters/vitals/log.ts';
import type { VitalsSource } from '../../adapters/vitals/port.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import type { LedgerEntry } from '../../contracts/control.ts';
import { queues } from '../../contracts/queues.ts';
import type { TrafficChange } from '../../contracts/traffic.ts';
import { environmentAt, readEnvironment } from '../../infra/setup/environment.ts';
import { resolveTemporal } from '../../infra/setup/temporal.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { startDevServer } from '../../infra/temporal/server.ts';
import { controlActivities } from '../../workers/control.ts';
import { dataActivities } from '../../workers/data.ts';
import { type HomeDeps, openHome } from '../../workers/home.ts';
import '../quiet-runtime.ts';
import { type ServiceHome, signerOf, writeService } from '../service-home.ts';
import { caller, type Effect, hereToo, onTheLine } from './fault-line.ts';
import { FLAVOURS, type Flavour, impatient, SETTINGS } from './flavours.ts';
import { quickFor, quickStages } from './quick-stages.ts';
import { stepOf } from './story.ts';
import { subjectsOn } from './subjects.ts';

/** What the world must know of a trial that runs. */
export interface Passing {
  readonly config: ServiceConfig;
  /** What is tried comes once the challenger is in live traffic. */
  readonly inTraffic: boolean;
  /** How its visitors like a variant: the place of what they look for, null when it is not shown. */
  placeIn(variant: string, champion: string | null): number | null;
  pass<T>(point: string, effect: Effect<T>): Promise<T>;
}

export interface MatrixWorld {
  readonly home: string;
  readonly client: Client;
  /** Without faults: for setting up and looking. */
  readonly control: ControlStore;
  readonly artifacts: HomeDeps['artifacts'];
  readonly sign: ServiceHome['sign'];
  readonly configs: Readonly<Record<Flavour, ServiceConfig>>;
  readonly running: Map<string, Passing>;
  readonly codePath: string;
  end(options: { keep: boolean }): Promise<void>;
}
export interface WorldOptions {
  /** No worker keeps a workflow in memory: each step of one is taken from its history, as after a restart of its worker. */
  readonly forgetful?: boolean;
}

export const createMatrixWorld = async ({ forgetful = false }: WorldOptions = {}): Promise<MatrixWorld> => {
  const home = await mkdtemp(join(tmpdir(), 'pawl-matrix-'));
  const { path: binary } = await resolveTemporal(readEnvironment());
  const [port = 0] = await freePorts(1);
  const log = join(homePaths(home).state, 'logs', 'temporal.log');
  const server = await startDevServer({
    ...{ binary, host: '127.0.0.1', port, uiPort: null, namespace: 'default' },
    ...{ database: null, log },
  });
  const kill = (): unknown => server.process.kill('SIGKILL');
  process.once('exit', kill);
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, dataConverter });
  const native = await NativeConnection.connect({ address: server.address });
  const codePath = await workflowBundle();

  await createOperatorKey(home, { name: 'ada' });
  const configs = Object.fromEntries(
    await Promise.all(
      Object.entries(FLAVOURS).map(async ([name, flavour]) => {
        const folder = join(home, 'services', name.replaceAll(' ', '-'));
        const file = writeService(folder, name.replaceAll(' ', '-'), { ...SETTINGS, ...flavour });
        return [name, impatient(await loadService(file))];
      }),
    ),
  ) as MatrixWorld['configs'];

  const running: MatrixWorld['running'] = new Map();
  const real = openHome({ ...environmentAt(home), store: null });
  const deps = await withFaults(real, running, configs['asks nobody']);
  const shared = { connection: native, dataConverter, shutdownGraceTime: '3s', shutdownForceTime: '8s' } as const;
  const inTraffic = (service: string): boolean => running.get(service)?.inTraffic ?? false;
  const quick = quickStages(real.control, real.artifacts);
  const { train } = nameActivities(quickFor(createStageActivities(deps), quick, inTraffic), running);
  const stages = nameActivities(
    { ...quickFor(dataActivities(deps, home), quick, inTraffic), ...ofTrials(real.control, running) },
    running,
  );
  const controls: WorkerOptions = {
    ...shared,
    taskQueue: queues.control,
    workflowBundle: { codePath },
    activities: nameActivities(controlActivities(deps, home, client, toNobody), running),
    maxConcurrentActivityTaskExecutions: 500,
    stickyQueueScheduleToStartTimeout: '2s',
    maxCachedWorkflows: forgetful ? 0 : 300,
  };
  const start = async (options: WorkerOptions) => {
    const worker = await Worker.create(options);
    return { worker, done: worker.run() };
  };
  const stop = async ({ worker, done }: Awaited<ReturnType<typeof start>>): Promise<void> => {
    worker.shutdown();
    await done;
  };
  const workers = await Promise.all([
    start(controls),
    start({ ...shared, taskQueue: queues.data, activities: stages, maxConcurrentActivityTaskExecutions: ofCores(3) }),
    start({
      ...shared,
      taskQueue: queues.train,
      activities: { train },
      maxConcurrentActivityTaskExecutions: ofCores(1),
    }),
  ]);

  return {
    ...{ home, client, control: real.control, artifacts: real.artifacts, configs, running, codePath },
    sign: await signerOf(home),
    end: async ({ keep }) => {
      // A worker that cannot stop must not keep the server alive.
      await Promise.allSettled(workers.map(stop));
      await native.close();
      await connection.close();
      await server.stop();
      process.off('exit', kill);
      real.close();
      if (!keep) rmSync(home, { recursive: true, force: true });
    },
  };
};

/** Stages compute: more of them at once than this would only keep each other from giving signs of life. */
const ofCores = (each: number): number => 2 + each * availableParallelism();

/** What people would be told. */
const toNobody = (): void => undefined;

/** Calls that no activity makes, and those of services that are on no trial, pass as they are. */
const passing =
  (running: MatrixWorld['running']) =>
  <T>(point: string, effect: Effect<T>): Promise<T> => {
    const trial = running.get(caller().service);
    return trial ? trial.pass(point, effect) : effect();
  };

const nameActivities = <T extends object>(activities: T, running: MatrixWorld['running']): T =>
  onTheLine(activities, (activity) => hereToo(`activity: ${activity}`), passing(running));

const withFaults = async (real: HomeDeps, running: MatrixWorld['running'], any: ServiceConfig): Promise<HomeDeps> => {
  const pass = passing(running);
  const inActivity = (what: string) => (): string => `${what} in ${caller().activity}`;
  const wholeName: Record<string, string> = { putJson: 'put', getJson: 'get' };
  const queryLog = onTheLine(
    real.queryLog,
    (method) => (method === 'append' ? 'log: append' : inActivity(`log: ${method}`)()),
    pass,
  );
  const judged = await readJudgedQueries(any, 'live');
  const vitals = onTheLine(logVitals({ queryLog, judged: async () => judged }), inActivity('vitals: read'), pass);
  return {
    ...real,
    control: onTheLine(real.control, pointsOf, pass),
    policy: onTheLine(real.policy, inActivity('policy: asked'), pass),
    artifacts: onTheLine(real.artifacts, (method) => inActivity(`artifacts: ${wholeName[method] ?? method}`)(), pass),
    queryLog,
    vitals: visited(vitals, queryLog, real.control, running, judged),
    services: onTheLine(
      { ...real.services, config: async (service: string) => configOf(running, service) },
      inActivity('config: read'),
      pass,
    ),
  };
};

/** What the trials bring themselves: subjects come faster than in life, and the service has a hook of its own. */
const ofTrials = (control: ControlStore, running: MatrixWorld['running']) => ({
  lookAtArms: subjectsOn(control, (service, variant) => 1 / (running.get(service)?.placeIn(variant, null) ?? Infinity)),
  gatekeeper: async () => ({ ok: true, because: 'nothing stands against it' }),
});

const configOf = (running: MatrixWorld['running'], service: string): ServiceConfig => {
  const trial = running.get(service);
  if (!trial) throw new Error(`${service} is on no trial`);
  return { ...trial.config, service };
};

const ASKED_BY_MANY: ReadonlySet<string> = new Set<keyof ControlStore>(['baseline', 'ledger', 'rule', 'ruling']);

const pointsOf = (method: string, [first]: readonly unknown[]): string | readonly string[] => {
  if (method === 'note') return `store: note ${(first as LedgerEntry).kind}`;
  if (method === 'noteAll') return [...new Set((first as LedgerEntry[]).map(({ kind }) => `store: note ${kind}`))];
  // Of the cycle or of its guardian, the key says last which step it is.
  if (method === 'shift') return `store: shift ${stepOf(first as TrafficChange)}`;
  return ASKED_BY_MANY.has(method) ? `store: ${method} in ${caller().activity}` : `store: ${method}`;
};

const VISITORS = 12;

/** Visitors ask when somebody is about to look at them: so no trial's end hangs on how busy the machine is. */
const visited = (
  vitals: VitalsSource,
  log: QueryLog,
  control: ControlStore,
  running: MatrixWorld['running'],
  judged: ReadonlyArray<{ readonly text: string; readonly judgements: Readonly<Record<string, number>> }>,
): VitalsSource => {
  const visit = async ({ service, variant, from, to }: Parameters<VitalsSource['read']>[0]): Promise<void> => {
    const state = await control.state(service);
    const serves = state?.arms.some((arm) => arm.variant === variant && arm.share > 0);
    if (variant === undefined || !serves) return;
    const { champion } = state ?? { champion: null };
    const isTwin = (await control.variant(variant))?.origin === 'twin';
    const place = running.get(service)?.placeIn(isTwin && champion ? champion : variant, champion) ?? null;
    const at = Math.max(from, to - 1);
    // Nobody comes in the past: what serves now may have served nobody then.
    const changes = (await control.ledger({ service })).filter(({ body }) => body.outcome === 'done' && body.state);
    if (changes.some((change) => Date.parse(change.at) > at)) return;
    const rows = judged.slice(0, VISITORS).map(({ text, judgements }) => {
      const wanted = Object.keys(judgements)[0] ?? '';
      const ranked = place === null ? [] : [...Array.from({ length: place - 1 }, (_, n) => `other-${n}`), wanted];
      return { at, service, variant, query: text, ranked, latencyMs: 1, error: null, cost: 0 };
    });
    // As the gateway does: what the log cannot take now is offered again.
    await log
      .append(rows)
      .catch(() => log.append(rows))
      .catch(() => log.append(rows))
      .catch(() => log.append(rows));
  };
  return {
    read: async (window) => {
      await visit(window);
      return vitals.read(window);
    },
    series: async (window) => {
      await visit(window);
      return vitals.series(window);
    },
  };
};
