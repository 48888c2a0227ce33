/**
 * Real processes killed with -9 at random moments, under load: cycles on several services one after the other, and searches all
 * the time. First comes a calm part, which says what this machine does undisturbed; what it does under the kills is held against
 * it, and a run below its load floor is void.
 */
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { homePaths } from '../../adapters/home.ts';
import { violationsOf } from '../../check/check.ts';
import { median } from '../../domain/percentile.ts';
import { pick, seeded } from '../../domain/random.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { eventually } from '../eventually.ts';
import { Processes } from '../processes.ts';
import { makeServiceHome } from '../service-home.ts';
import { Cycles } from './cycles.ts';
import { type CrashReport, reportOf } from './report.ts';
import { killAndRestart, ROLES, type Role, type Scene, usefulAgain } from './roles.ts';
import { Searchers } from './searchers.ts';

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  readonly roles?: readonly Role[];
  /** Cycles a service in the calm part, not counting the first one, which builds what the others find. */
  readonly calm?: number;
  /** The longest pause before a kill, as a share of a calm cycle. */
  readonly pace?: number;
  readonly tell?: (progress: CrashProgress) => void;
}
export interface CrashProgress {
  readonly what: 'starting' | 'calm' | 'kill' | 'draining';
  readonly done: number;
  readonly of: number;
  readonly last: Kill | null;
}

export interface Kill {
  readonly role: Role;
  readonly at: number;
  /** Until it did useful work again; null when it never did. */
  readonly recoveryMs: number | null;
}

const SERVICES = ['docs', 'faq', 'shop'] as const;
const NEVER_MS = 120_000;

export const runCrash = async (options: CrashOptions): Promise<CrashReport> => {
  const { kills: wanted, seed, roles = ROLES, calm = 3, pace = 1, tell = () => {} } = options;
  tell({ what: 'starting', done: 0, of: wanted, last: null });
  const made = await makeServiceHome({ services: SERVICES });
  const processes = await Processes.startAll(made.home);
  const connection = Connection.lazy({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  const cycles = new Cycles(client, made.control, SERVICES);
  const searchers = new Searchers(processes.gateway, SERVICES, made.wishes);
  const scene = {
    processes,
    client,
    services: SERVICES,
    cycles,
    searchers,
    wal: `${homePaths(made.home).control}-wal`,
  };
  let clean = false;
  try {
    searchers.start();
    cycles.start();
    await untilEnded(cycles, 1);
    const calmFrom = Date.now();
    tell({ what: 'calm', done: 0, of: calm, last: null });
    await untilEnded(cycles, 1 + calm);
    const killsFrom = Date.now();

    const usual = median(cycles.ended.filter(({ nth }) => nth > 1).map(({ from, to }) => to - from));
    const kills: Kill[] = [];
    for (const { role, afterShare } of planned(seed, wanted, roles)) {
      await pause(afterShare * pace * usual);
      kills.push(await killOnce(role, scene));
      tell({ what: 'kill', done: kills.length, of: wanted, last: kills.at(-1) ?? null });
    }
    tell({ what: 'draining', done: wanted, of: wanted, last: null });
    const killsTo = Date.now();
    await cycles.stop();
    await searchers.stop();
    // What the gateway still has to tell its log, it tells when it is asked to stop.
    await processes.stop('gateway');
    await processes.end();
    const report = reportOf({
      ...{ home: made.home, seed, kills, calmFrom, killsFrom, killsTo },
      ...{ cycles: cycles.ended, refused: cycles.refused, searches: searchers.searches },
      violations: violationsOf(made.home),
    });
    clean = report.verdict === 'passed';
    return report;
  } finally {
    await connection.close();
    await processes.end();
    made.control.close();
    if (clean) rmSync(made.home, { recursive: true, force: true });
  }
};

/** Returns when each service has had so many cycles. */
const untilEnded = async (cycles: Cycles, least: number): Promise<void> => {
  const fewest = (): number => {
    if (cycles.failure !== null) throw cycles.failure;
    return Math.min(...SERVICES.map((name) => cycles.ended.filter(({ service }) => service === name).length));
  };
  await eventually(fewest, (n) => n >= least, 100);
};

/** Each role equally often, in an order that the seed decides, at any moment of a cycle. */
const planned = (seed: number, kills: number, roles: readonly Role[]) => {
  const random = seeded(seed);
  const left: Role[] = [];
  return Array.from({ length: kills }, () => {
    if (left.length === 0) left.push(...roles);
    const role = pick(random, left as [Role, ...Role[]]);
    left.splice(left.indexOf(role), 1);
    return { role, afterShare: random() };
  });
};

const killOnce = async (role: Role, scene: Omit<Scene, 'signal'>): Promise<Kill> => {
  const giveUp = new AbortController();
  const { at, restarted } = await killAndRestart(role, { ...scene, signal: giveUp.signal });
  const useful = usefulAgain(role, at, { ...scene, signal: giveUp.signal }).then(() => Date.now() - at);
  const never = pause(NEVER_MS, null, { signal: giveUp.signal }).catch(() => null);
  const recoveryMs = await Promise.race([useful, never]);
  giveUp.abort();
  await restarted;
  return { role, at, recoveryMs };
};
