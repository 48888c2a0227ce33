/**
 * Workers killed with -9 at random moments of real cycles, each started anew at once, as the supervisor does. What a kill
 * costs is the time of its cycle beyond the median of the cycles without a kill, which alternate with the others.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type CycleEnd, cycleStatusQuery } from '../../contracts/messages.ts';
import { pick, seeded } from '../../domain/random.ts';
import { type Violation, violationsOf } from '../../test/support/checker.ts';
import { type LiveCycle, type LiveService, startLiveService } from '../../test/support/live-service.ts';
import { WORKERS, type WorkerName } from '../../test/support/processes.ts';
import { SERVICE } from '../../test/support/service-home.ts';
import { median } from '../benchmark.ts';

export interface Kill {
  readonly worker: WorkerName;
  /** Since somebody asked for the cycle. */
  readonly afterMs: number;
  /** The stage that it hit; null before the first one, and between two. */
  readonly stage: string | null;
}
export interface TriedCycle {
  readonly cycle: string;
  readonly end: CycleEnd;
  readonly tookMs: number;
  readonly kill: Kill | null;
}
export interface WorkerKills {
  readonly cycles: readonly TriedCycle[];
  readonly violations: readonly Violation[];
}

export interface WorkerKillsOptions {
  readonly kills: number;
  readonly seed: number;
  readonly tell?: (tried: TriedCycle) => void;
}

/** A cycle without a kill takes seconds; one that takes longer than this is stuck. */
const STUCK_MS = 180_000;

export const killWorkers = async ({ kills, seed, tell = () => {} }: WorkerKillsOptions): Promise<WorkerKills> => {
  const random = seeded(seed);
  const live = await startLiveService();
  try {
    const cycles: TriedCycle[] = [];
    const next = async (planned: Pick<Kill, 'worker' | 'afterMs'> | null): Promise<void> => {
      const tried = await tryCycle(live, planned);
      cycles.push(tried);
      tell(tried);
      await beginAnew(live, cycles.length);
    };
    for (let n = 0; n < kills; n++) {
      await next(null);
      const worker = pick(random, WORKERS);
      await next({ worker, afterMs: random() * median(calmOf(cycles)) });
    }
    return { cycles, violations: violationsOf(live.home) };
  } finally {
    await live.end();
  }
};

/** What each kill cost, in seconds; what is below 0 is the noise of the machine. */
export const costsOf = ({ cycles }: Pick<WorkerKills, 'cycles'>): number[] => {
  const usual = median(calmOf(cycles));
  return cycles.filter(({ kill }) => kill !== null).map(({ tookMs }) => (tookMs - usual) / 1_000);
};

/** What is left of a kill when its cycle has ended: the time of the next one, which has none, beyond the median. */
export const leftoversOf = ({ cycles }: Pick<WorkerKills, 'cycles'>): number[] => {
  const usual = median(calmOf(cycles));
  return cycles.filter((_, n) => cycles[n - 1]?.kill).map(({ tookMs }) => (tookMs - usual) / 1_000);
};

const calmOf = (cycles: readonly TriedCycle[]): number[] =>
  cycles.filter(({ kill }) => kill === null).map(({ tookMs }) => tookMs);

const tryCycle = async (live: LiveService, planned: Pick<Kill, 'worker' | 'afterMs'> | null): Promise<TriedCycle> => {
  const asked = Date.now();
  const running = live.startCycle().then(async (cycle) => ({ cycle, end: await live.endOf(cycle), at: Date.now() }));
  const trial = Promise.all([running, planned && killAfter(live, planned)]);
  const giveUp = new AbortController();
  const stuck = pause(STUCK_MS, null, { signal: giveUp.signal }).catch(() => null);
  try {
    const over = await Promise.race([trial, stuck]);
    if (over === null) throw new Error(`a cycle did not end within ${STUCK_MS / 1_000} s; killed: ${planned?.worker}`);
    const [{ cycle, end, at }, killedAt] = over;
    const stage = killedAt === null ? null : await stageAt(cycle, killedAt);
    return { cycle: cycle.cycle, end, tookMs: at - asked, kill: planned && { ...planned, stage } };
  } finally {
    giveUp.abort();
  }
};

const killAfter = async ({ processes }: LiveService, { worker, afterMs }: Pick<Kill, 'worker' | 'afterMs'>) => {
  await pause(afterMs);
  const at = Date.now();
  await processes.kill(worker);
  await processes.start(worker);
  return at;
};

const stageAt = async ({ handle }: LiveCycle, at: number): Promise<string | null> => {
  const { stages } = await handle.query(cycleStatusQuery);
  const ran = ({ startedAt, endedAt }: (typeof stages)[number]): boolean =>
    Date.parse(startedAt) <= at && at < Date.parse(endedAt ?? startedAt);
  return stages.find(ran)?.stage ?? null;
};

/** A kill makes gold the champion again, so that the next cycle has as much to do as this one had. */
const beginAnew = async ({ control }: LiveService, n: number): Promise<void> => {
  const order = { service: SERVICE, actor: { kind: 'person', name: 'trial' }, reason: 'the next cycle begins anew' };
  await control.kill({ ...order, key: `kill/${n}` });
  await control.arm({ ...order, key: `arm/${n}` });
};
