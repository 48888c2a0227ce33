/** A home with a service for each canary that goes on at a time, its processes, its visitors, and somebody who approves. */
import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { EvaluateInput, Evaluation } from '../../contracts/stages.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { Processes } from '../../drills/processes.ts';
import { strike } from '../../drills/scenarios/faults.ts';
import { Visitors } from '../../drills/scenarios/visitors.ts';
import { makeServiceHome, type ServiceHome, writeService } from '../../drills/service-home.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import type { Degradation } from './degraded-engine.ts';
import { type Asking, canarySettings, PLANS } from './ladder.ts';

const QUEUE = 'bench-canaries';
/** What is on trial is the canary: whoever evaluates the challengers beforehand finds all of them better. */
const STAGES = `{ evaluate: { activity: findBetter, taskQueue: ${QUEUE}, timeout: 1m } }`;

export interface Place {
  readonly service: string;
  readonly asking: Asking;
  readonly visitors: Visitors;
}

export interface Scene {
  readonly home: ServiceHome;
  readonly client: Client;
  readonly places: readonly Place[];
  /** A variant that searches as the champion does, under another id, and is worse as it is told from its first request on. */
  challenger(service: string, degradation: Degradation): Promise<string>;
  /** From now on it is as good as the others: one that was promoted is what the next ones are held against. */
  mend(challenger: string): void;
  /** Nothing is asked any more, and everything is written. */
  stop(): Promise<void>;
  end(options: { readonly keep: boolean }): Promise<void>;
}

export const openScene = async (): Promise<Scene> => {
  const asked = PLANS.flatMap((asking) =>
    Array.from({ length: asking.services }, (_, n) => ({ service: `${asking.plan}-${n + 1}`, asking })),
  );
  const [first, ...others] = asked.map(({ service }) => service);
  const made = await makeServiceHome({ services: [first ?? '', ...others], search: SEARCH });
  const paths = homePaths(made.home);
  for (const { service, asking } of asked)
    writeService(join(paths.services, service), service, { stages: STAGES, canary: canarySettings(asking) });

  const told = join(made.home, 'degradations.json');
  const gateway = [join(import.meta.dirname, `gateway${extname(import.meta.filename)}`), told] as const;
  const processes = await Processes.startAll(made.home, { gateway });
  const artifacts = folderArtifacts(paths.artifacts);
  const findBetter = async ({ challenger }: EvaluateInput): Promise<Evaluation> => ({
    ...{ verdict: 'better', reasons: ['the canary is on trial'], summary: 'better: the canary is on trial' },
    ...{ championScore: 0, challengerScore: 0, low: 0, high: 0, queries: 0 },
    evidence: await artifacts.putJson({ stage: 'evaluate', challenger, because: 'the canary is on trial' }),
  });
  const native = await NativeConnection.connect({ address: processes.temporal });
  const worker = await Worker.create({
    connection: native,
    dataConverter,
    taskQueue: QUEUE,
    activities: { findBetter },
  });
  const evaluating = worker.run();
  const connection = Connection.lazy({ address: processes.temporal });

  const places = asked.map(({ service, asking }) => {
    const habits = { service, betweenMs: 0, ...asking.visitors };
    return { service, asking, visitors: new Visitors(processes.gateway, made.wishes, habits) };
  });
  const degradations: Record<string, Degradation> = {};
  let variants = 0;
  const add = async (service: string, settings: SearchSettings): Promise<string> => {
    const { id, artifact } = await saveVariant(artifacts, service, settings);
    await made.control.addVariant({ id, service, artifact, origin: 'bench', createdAt: new Date().toISOString() });
    return id;
  };
  let ended: Promise<unknown> | null = null;
  const stop = (): Promise<unknown> => {
    ended ??= (async () => {
      await Promise.all(places.map(({ visitors }) => visitors.stop()));
      await processes.stop('gateway');
      worker.shutdown();
      await evaluating;
      await Promise.all([native.close(), connection.close()]);
      await processes.end();
    })();
    return ended;
  };
  return {
    home: made,
    client: new Client({ connection, dataConverter }),
    places,
    challenger: async (service, degradation) => {
      const id = await add(service, { ...SEARCH, weights: { title: 1, body: 1 + ++variants * 1e-9 } });
      degradations[id] = degradation;
      strike(told, degradations);
      return id;
    },
    mend: (challenger) => {
      delete degradations[challenger];
      strike(told, degradations);
    },
    stop: async () => void (await stop()),
    end: async ({ keep }) => {
      await stop();
      made.control.close();
      if (!keep) rmSync(made.home, { recursive: true, force: true });
    },
  };
};

/** Good ones, so that what is found is nearly always right, and what is not found any more shows. */
const SEARCH: SearchSettings = { ...DEFAULT_SETTINGS, stemming: true, splitIdentifiers: true };
