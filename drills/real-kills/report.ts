/** What a run of real kills has shown: what was found, and whether it was tried hard enough to count. */
import { DatabaseSync } from 'node:sqlite';
import { homePaths } from '../../adapters/home.ts';
import type { Violation } from '../../check/check.ts';
import { median, percentile } from '../../domain/percentile.ts';
import type { Kill } from './crash.ts';
import type { RunCycle } from './cycles.ts';
import { NEEDED_IN, type Role } from './roles.ts';
import type { Search } from './searchers.ts';

/** Recovery at the 95th percentile, over all kills. */
const RECOVERY_TARGET_MS = 15_000;
/**
 * The gateway tells its log four times a second, off the path of the requests: what it acknowledged in the last moment before
 * its own end may be missing there, and nothing else.
 */
const UNTOLD_MS = 1_000;
/** Below these shares of what the machine did in the calm part, a run has tried too little to count. */
const FLOOR = { cycles: 0.2, searches: 0.4, midStage: 0.5 } as const;

export interface Seen {
  readonly home: string;
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly calmFrom: number;
  readonly killsFrom: number;
  readonly killsTo: number;
  readonly cycles: readonly RunCycle[];
  readonly refused: readonly string[];
  readonly searches: readonly Search[];
  readonly violations: readonly Violation[];
}

export interface Spread {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}
export interface RoleReport {
  readonly role: Role;
  readonly kills: number;
  /** How many of them hit a cycle in a stage that needs it. */
  readonly midStage: number;
  /** Seconds until it did useful work again. */
  readonly recovery: Spread;
}
export interface Load {
  /** Cycles that ended, a minute; searches that were answered, a second. */
  readonly cycles: number;
  readonly searches: number;
}

export interface CrashReport {
  readonly verdict: 'passed' | 'failed' | 'void';
  /** Why it failed, or why it is void. */
  readonly because: readonly string[];
  readonly home: string;
  readonly seed: number;
  readonly kills: number;
  readonly roles: readonly RoleReport[];
  readonly recovery: Spread;
  /** Seconds that a cycle with kills in it took beyond the median of the calm ones, a kill. */
  readonly cost: Spread;
  readonly calmCycle: number;
  readonly cycles: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly refused: number;
  /** Cycles whose end never came, and what was done twice. */
  readonly lost: number;
  readonly doubled: number;
  readonly violations: readonly Violation[];
  readonly searches: {
    readonly answered: number;
    readonly failed: number;
    /** Answered, and not in the log: within the last second before a kill of the gateway, and at another time. */
    readonly untold: number;
    readonly lost: number;
    readonly doubled: number;
  };
  readonly load: { readonly calm: Load; readonly killing: Load; readonly midStage: number };
}

export const reportOf = (seen: Seen): CrashReport => {
  const { home, seed, kills, cycles, refused, violations, killsFrom } = seen;
  const calm = cycles.filter(({ nth, to }) => nth > 1 && to <= killsFrom);
  const calmCycle = median(calm.map(tookOf));
  const counted = {
    ...{ home, seed, kills: kills.length, violations, calmCycle: seconds(calmCycle) },
    roles: [...Map.groupBy(kills, ({ role }) => role)].map(([role, of]) => roleReport(role, of, cycles)),
    recovery: spread(kills.map(recoveryOf)),
    cost: spread(costsOf(kills, cycles, calmCycle)),
    cycles: cycles.length,
    outcomes: outcomesOf(cycles),
    refused: refused.length,
    lost: cycles.filter(({ end }) => end === null).length,
    doubled: violations.filter(({ rule }) => /twice|at most once|exactly once/.test(rule)).length,
    searches: searchesOf(seen),
    load: loadOf(seen),
  };
  const found = findings(counted);
  const low = tooLittle(counted);
  const verdict = found.length > 0 ? 'failed' : low.length > 0 ? 'void' : 'passed';
  return { verdict, because: found.length > 0 ? found : low, ...counted };
};

type Counted = Omit<CrashReport, 'verdict' | 'because'>;

const findings = ({ violations, lost, doubled, searches, recovery, home }: Counted): string[] => {
  const damaged = damagedFiles(home);
  return [
    [violations.length > 0, `the checker finds ${violations.length} violations`],
    [lost > 0, `${lost} cycles came to no end`],
    [doubled > 0, `${doubled} things were done twice`],
    [searches.lost > 0, `${searches.lost} answered searches are missing in the log, with no kill that explains it`],
    [searches.doubled > 0, `${searches.doubled} searches stand in the log twice`],
    [
      !(recovery.p95 * 1_000 <= RECOVERY_TARGET_MS),
      `recovery p95 is ${recovery.p95} s, more than ${RECOVERY_TARGET_MS / 1_000} s`,
    ],
    [damaged.length > 0, `damaged: ${damaged.join(', ')}`],
  ].flatMap(([is, what]) => (is ? [String(what)] : []));
};

const tooLittle = ({ load: { calm, killing, midStage }, kills }: Counted): string[] => {
  const share = (is: number, of: number): string => `${Math.round((100 * is) / of)} %`;
  return [
    [
      !(killing.cycles >= FLOOR.cycles * calm.cycles),
      `only ${share(killing.cycles, calm.cycles)} of the calm cycles a minute`,
    ],
    [
      !(killing.searches >= FLOOR.searches * calm.searches),
      `only ${share(killing.searches, calm.searches)} of the calm searches a second`,
    ],
    [!(midStage >= FLOOR.midStage * kills), `only ${midStage} of ${kills} kills hit a cycle in mid-stage`],
  ].flatMap(([is, what]) => (is ? [String(what)] : []));
};

const roleReport = (role: Role, kills: readonly Kill[], cycles: readonly RunCycle[]): RoleReport => ({
  role,
  kills: kills.length,
  midStage: kills.filter((kill) => hits(kill, cycles, NEEDED_IN[role])).length,
  recovery: spread(kills.map(recoveryOf)),
});

/** Whether some cycle was in a stage at that moment. */
const hits = ({ at }: Kill, cycles: readonly RunCycle[], stages: (typeof NEEDED_IN)[Role]): boolean =>
  cycles.some(({ stages: ran }) =>
    ran.some(
      ({ stage, startedAt, endedAt }) =>
        (stages?.has(stage) ?? true) && Date.parse(startedAt) <= at && at < Date.parse(endedAt ?? startedAt),
    ),
  );

const tookOf = ({ from, to }: RunCycle): number => to - from;
const recoveryOf = ({ recoveryMs }: Kill): number => recoveryMs ?? Number.POSITIVE_INFINITY;

const costsOf = (kills: readonly Kill[], cycles: readonly RunCycle[], usual: number): number[] =>
  cycles.flatMap((cycle) => {
    const inside = kills.filter(({ at }) => cycle.from <= at && at < cycle.to).length;
    return inside === 0 ? [] : [(tookOf(cycle) - usual) / inside];
  });

const outcomesOf = (cycles: readonly RunCycle[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { end } of cycles) counts[end?.outcome ?? 'lost'] = (counts[end?.outcome ?? 'lost'] ?? 0) + 1;
  return counts;
};

const searchesOf = ({ home, searches, kills }: Seen): CrashReport['searches'] => {
  const told = toldIn(home);
  const answered = searches.filter((search) => search.answered);
  const missing = answered.filter(({ service, query }) => !told.has(`${service} ${query}`));
  const ends = kills.filter(({ role }) => role === 'gateway' || role === 'store').map(({ at }) => at);
  const explained = missing.filter(({ askedAt, answeredAt }) =>
    ends.some((at) => askedAt <= at && at - answeredAt <= UNTOLD_MS),
  );
  return {
    answered: answered.length,
    failed: searches.length - answered.length,
    untold: explained.length,
    lost: missing.length - explained.length,
    doubled: [...told.values()].filter((times) => times > 1).length,
  };
};

/** How often each question stands in the log. */
const toldIn = (home: string): ReadonlyMap<string, number> => {
  const db = new DatabaseSync(homePaths(home).metrics, { readOnly: true });
  const rows = db.prepare('SELECT service, query, count(*) AS times FROM queries GROUP BY service, query').all();
  db.close();
  return new Map(rows.map(({ service, query, times }) => [`${service} ${query}`, Number(times)]));
};

const damagedFiles = (home: string): string[] => {
  const { control, metrics } = homePaths(home);
  return [control, metrics].filter((file) => {
    const db = new DatabaseSync(file, { readOnly: true });
    const [row] = db.prepare('PRAGMA integrity_check').all();
    db.close();
    return row?.integrity_check !== 'ok';
  });
};

const loadOf = ({ cycles, searches, kills, calmFrom, killsFrom, killsTo }: Seen): CrashReport['load'] => {
  const between = (from: number, to: number): Load => ({
    cycles: rounded((cycles.filter((one) => one.to >= from && one.to < to).length * 60_000) / (to - from)),
    searches: rounded(
      (searches.filter(({ answered, answeredAt }) => answered && answeredAt >= from && answeredAt < to).length *
        1_000) /
        (to - from),
    ),
  });
  return {
    calm: between(calmFrom, killsFrom),
    killing: between(killsFrom, killsTo),
    midStage: kills.filter((kill) => hits(kill, cycles, undefined)).length,
  };
};

const spread = (ms: readonly number[]): Spread => ({
  median: seconds(median(ms)),
  p95: seconds(percentile(ms, 0.95)),
  max: seconds(Math.max(...ms)),
});
const seconds = (ms: number): number => Math.round(ms / 10) / 100;
const rounded = (value: number): number => Math.round(value * 10) / 10;
