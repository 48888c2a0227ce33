/** Every fault point with every seed, each twice; what comes of it is judged by the checker, which reads the files alone. */
import { type Violation, violationsOf } from '../../check/check.ts';
import { type FaultKind, inTraffic, planTrial, type TrialPlan } from './faults.ts';
import { POINTS, type Point } from './points.ts';
import { runTrial, type Tried } from './trial.ts';
import { createMatrixWorld, type WorldOptions } from './world.ts';

export interface MatrixOptions extends WorldOptions {
  /** Seeds a point, from `firstSeed` on. */
  readonly seeds: number;
  readonly firstSeed?: number;
  readonly points?: readonly Point[];
  /** Each seed runs so often; more than once shows that it replays. */
  readonly runs?: number;
  /** Trials that run side by side: they mostly wait. */
  readonly beside?: number;
  readonly tell?: (progress: MatrixProgress) => void;
}
export interface MatrixProgress {
  readonly done: number;
  readonly of: number;
  readonly last: Tried;
}

/** One point and seed, with all its runs. */
export interface MatrixCell {
  readonly plan: TrialPlan;
  readonly runs: readonly Tried[];
}

export interface MatrixReport {
  readonly home: string;
  readonly cells: readonly MatrixCell[];
  readonly points: number;
  readonly cycles: number;
  /** Trials in which the fault happened. */
  readonly struck: number;
  readonly outcomes: Readonly<Partial<Record<string, number>>>;
  readonly kinds: Readonly<Partial<Record<FaultKind, number>>>;
  readonly violations: readonly Violation[];
  /** Trials that came to no end. */
  readonly stuck: readonly Tried[];
  /** Seeds whose runs ended differently, or told a different story. */
  readonly different: readonly MatrixCell[];
  /** Points that were never struck: nothing was tried there. */
  readonly untouched: readonly string[];
  readonly tookMs: number;
}

export const isClean = ({ violations, stuck, different, untouched }: MatrixReport): boolean =>
  [violations, stuck, different, untouched].every(({ length }) => length === 0);

export const runMatrix = async (options: MatrixOptions): Promise<MatrixReport> => {
  const { seeds, firstSeed = 1, points = POINTS, runs = 2, beside = 24, tell = () => {} } = options;
  const begun = performance.now();
  const plans = Array.from({ length: seeds }, (_, n) => points.map((point) => planTrial(point, firstSeed + n))).flat();
  const world = await createMatrixWorld(options);
  const tried = new Map<TrialPlan, Tried[]>(plans.map((plan) => [plan, []]));
  const work = Array.from({ length: runs }, (_, run) => plans.map((plan, n) => ({ plan, service: `t-${n}-${run}` })));
  let clean = false;
  try {
    let done = 0;
    await sideBySide(work.flat(), beside, async ({ plan, service }) => {
      const last = await runTrial(world, plan, service);
      tried.get(plan)?.push(last);
      tell({ done: ++done, of: plans.length * runs, last });
    });
    const cells = [...tried].map(([plan, runs]) => ({ plan, runs }));
    const report = { ...reportOf(world.home, cells, violationsOf(world.home)), tookMs: performance.now() - begun };
    clean = isClean(report);
    return report;
  } finally {
    await world.end({ keep: !clean });
  }
};

const reportOf = (
  home: string,
  cells: readonly MatrixCell[],
  violations: readonly Violation[],
): Omit<MatrixReport, 'tookMs'> => {
  const all = cells.flatMap(({ runs }) => runs);
  const struck = all.filter(({ struck }) => struck > 0);
  const ends = all.flatMap(({ ends }) => ends.map((end) => end.replace(/^\d+ /, '')));
  const touched = new Set(struck.map(({ plan }) => plan.point));
  const points = [...new Set(cells.map(({ plan }) => plan.point))];
  return {
    ...{ home, cells, violations },
    points: points.length,
    cycles: ends.filter((end) => end !== 'not admitted').length,
    struck: struck.length,
    outcomes: countOf(ends),
    kinds: countOf(struck.map(({ plan }) => plan.fault.kind)),
    stuck: all.filter(({ stuck }) => stuck !== null),
    different: cells.filter(
      ({ plan, runs }) =>
        isOneStory(plan) && new Set(runs.map(({ ends, story }) => JSON.stringify([ends, story]))).size > 1,
    ),
    untouched: points.filter((point) => !touched.has(point)),
  };
};

/** How far a trial gets when its cycle is terminated hangs on how soon Temporal tells it. */
const isOneStory = ({ scene, fault }: TrialPlan): boolean => !(inTraffic(scene) && fault.kind === 'terminate');

const countOf = <K extends string>(values: readonly K[]): Partial<Record<K, number>> => {
  const counts: Partial<Record<K, number>> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

/** So many at once, in this order. */
const sideBySide = async <T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> => {
  const left = items.values();
  const one = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, one));
};
