/**
 * One scenario: a home of its own with real processes, visitors who search all the time, a cycle with a canary; then something
 * goes wrong, and it is watched from outside until it is over.
 */
import { rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { homePaths } from '../../adapters/home.ts';
import { violationsOf } from '../../check/check.ts';
import { type CanaryStatus, canaryStatusQuery } from '../../contracts/canary-messages.ts';
import { canaryWorkflowId, fixWorkflowId, triggerId } from '../../contracts/ids.ts';
import type { Admission, CycleEnd } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { eventually } from '../eventually.ts';
import { Processes } from '../processes.ts';
import { type HomeSettings, makeServiceHome, SERVICE } from '../service-home.ts';
import { strike } from './faults.ts';
import { reportOf, type ScenarioReport } from './report.ts';
import type { Scenario, Scene } from './scenes.ts';
import { Visitors } from './visitors.ts';

export interface ScenarioOptions {
  readonly scenario: Scenario;
  readonly tell?: (what: string) => void;
}

const often = (window: string): string => `every: 10s, window: ${window}, samples: 20, inconclusiveLimit: 1000`;
/**
 * As production has it, looked at every 10 s; with pauses for which a person at a shell has the patience. The champion here finds
 * little, so that a challenger which misleads is worse than it once its good answers are out of the window: that is short.
 */
const CANARY = `{
  steps: [{ weight: 25% }, { pause: 40s }, { weight: 50% }, { pause: 10s }],
  analyses: { all: { measures: [
    { name: latency, metric: latency, failure: "result.low > 1.1 * baseline.high", ${often('30s')} },
    { name: errors, metric: errors, failure: "result.low > baseline.high + 1%", ${often('30s')} },
    { name: ndcg, metric: ndcg, failure: "result.high < 97% * baseline.low", ${often('15s')} }
  ] } },
  background: { analysis: all }, floor: 100, hold: 30s, watch: null
}`.replaceAll(/\s*\n\s*/g, ' ');
const SETTINGS: HomeSettings = {
  canary: CANARY,
  remediation: '{ settle: 15s, look: 5s }',
  gates:
    '{ ndcg: { metric: ndcg, drop: 3%, samples: 20, window: 1m }, errors: { metric: errors, above: 0.1, samples: 20, window: 30s } }',
};

/** Calm with the challenger in it, so that the first look finds nothing. */
const CALM_MS = 12_000;
const NEVER_MS = 240_000;
const AFTERWARDS_MS = 3_000;

export const runScenario = async ({ scenario, tell = () => {} }: ScenarioOptions): Promise<ScenarioReport> => {
  tell('starting a home of its own');
  const made = await makeServiceHome({ settings: SETTINGS });
  const faults = join(made.home, 'faults.json');
  const gateway = [join(import.meta.dirname, `gateway${extname(import.meta.filename)}`), faults] as const;
  const processes = await Processes.startAll(made.home, { gateway });
  const connection = Connection.lazy({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  const visitors = new Visitors(processes.gateway, made.wishes);
  const over = new AbortController();
  const patience = AbortSignal.timeout(NEVER_MS);
  let clean = false;
  const stateNow = async () => {
    const state = await made.control.state(SERVICE);
    if (!state) throw new Error('the service is not registered');
    return state;
  };
  const start = (input: object, name: string): Promise<Admission> =>
    client.workflow.execute('trigger', {
      workflowId: triggerId(SERVICE, name),
      taskQueue: queues.control,
      args: [{ service: SERVICE, ...input }],
    });
  try {
    visitors.start();
    tell('a challenger is trained');
    const admission = await start({ reason: 'a trial' }, 'drill');
    if (!admission.admitted) throw new Error(`no cycle was started: ${admission.because}`);
    const { cycle, workflowId } = admission;
    const end = (client.workflow.getHandle(workflowId).result() as Promise<CycleEnd>).catch(() => null);
    const canary = client.workflow.getHandle(canaryWorkflowId(SERVICE, cycle));
    const status = async (): Promise<CanaryStatus | null> =>
      client.withDeadline(Date.now() + 2_000, () => canary.query(canaryStatusQuery)).catch(() => null);

    const champion = made.gold;
    const onTrial = async () => (await stateNow()).arms.find(({ variant, share }) => variant !== champion && share > 0);
    const arm = await withEnd(
      eventually(onTrial, (found) => found !== undefined, 100),
      end,
      patience,
    );
    const challenger = arm?.variant ?? '';
    if (scenario.begins === 'after a promotion') {
      tell('the canary takes its steps');
      await end;
    }
    tell('calm');
    await pause(CALM_MS);

    const seen = { looks: 0, freeAt: null as number | null, fix: null as Admission | null };
    const scene: Scene = {
      ...{ processes, champion, challenger, signal: over.signal },
      strike: (variant, fault) => strike(faults, { [variant]: fault }),
      until: (wanted) =>
        eventually(
          async () => (await status()) as CanaryStatus,
          (now) => now !== null && wanted(now),
          100,
        ),
      lockStore: () => {
        const db = new DatabaseSync(homePaths(made.home).control, { timeout: 10_000 });
        db.exec('BEGIN IMMEDIATE');
        return () => {
          db.close();
          seen.freeAt = Date.now();
        };
      },
      quickLook: async () => {
        const answer = await start({ kind: 'fix', reason: 'a quick look' }, `look-${++seen.looks}`).catch(() => null);
        if (answer?.admitted) seen.fix = answer;
      },
    };
    tell(scenario.about);
    const faultAt = Date.now();
    const wrong = scenario.goesWrong(scene);
    const ended = scenario.begins === 'with a canary' ? await within(end, patience) : null;
    if (scenario.begins === 'after a promotion') {
      const isBack = ({ arms }: Awaited<ReturnType<typeof stateNow>>) =>
        arms.every(({ variant, share }) => variant !== challenger || share === 0);
      await within(eventually(stateNow, isBack, 100), patience);
    }
    over.abort();
    await within(wrong, patience);
    tell('afterwards');
    await pause(AFTERWARDS_MS);
    const told = await within(
      eventually(status, (now) => now !== null, 200),
      patience,
    );
    const verdictAt = scenario.begins === 'with a canary' ? failedAt(told) : await beganAt(client, seen.fix);
    const { arms } = await stateNow();
    const finalEnd = ended ?? (await end);
    if (seen.fix?.admitted)
      await within(client.workflow.getHandle(fixWorkflowId(SERVICE, seen.fix.cycle)).result(), patience);
    await visitors.stop();
    await processes.stop('gateway');
    await processes.end();
    const report = reportOf({
      ...{ scenario, home: made.home, faultAt, freeAt: seen.freeAt, verdictAt, champion, challenger },
      outcome: finalEnd?.outcome ?? null,
      because: finalEnd?.because ?? 'no end came',
      serves: arms.find(({ share }) => share === 1)?.variant ?? null,
      visits: visitors.visits,
      violations: violationsOf(made.home),
    });
    clean = report.verdict === 'passed';
    return report;
  } finally {
    over.abort();
    await visitors.stop();
    await connection.close();
    await processes.end();
    made.control.close();
    if (clean) rmSync(made.home, { recursive: true, force: true });
  }
};

const failedAt = (status: CanaryStatus | null): number | null => {
  const failed = status?.steps.find(({ state }) => state === 'failed');
  return failed?.endedAt ? Date.parse(failed.endedAt) : null;
};

const beganAt = async (client: Client, fix: Admission | null): Promise<number | null> =>
  fix?.admitted ? (await client.workflow.getHandle(fix.workflowId).describe()).startTime.getTime() : null;

/** null where it does not come in time. */
const within = <T>(work: Promise<T>, patience: AbortSignal): Promise<T | null> =>
  Promise.race([work, new Promise<null>((resolve) => patience.addEventListener('abort', () => resolve(null)))]);

/** A cycle that ends before it has a canary has nothing to show. */
const withEnd = async <T>(work: Promise<T>, end: Promise<CycleEnd | null>, patience: AbortSignal): Promise<T> => {
  const early = end.then((ended): never => {
    throw new Error(`the cycle ended before its canary: ${ended?.outcome}: ${ended?.because}`);
  });
  const late = new Promise<never>((_, reject) =>
    patience.addEventListener('abort', () => reject(new Error('no canary began in time'))),
  );
  return Promise.race([work, early, late]);
};
