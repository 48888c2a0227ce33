/** What a killed worker costs a cycle, and whether anything is lost or done twice by it. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { readEnvironment } from '../infra/setup/environment.ts';
import { resolveTemporal } from '../infra/setup/temporal.ts';
import { atMost, type Benchmark, explaining, type Figure, median, percentile } from './benchmark.ts';
import { costsOf, killWorkers, leftoversOf, type TriedCycle, type WorkerKills } from './worker-kills/trial.ts';

const KILLS = 30;
const SEED = 2026;
/** A kill may cost so many seconds. */
const TARGET = 15;

export const workerKills: Benchmark = {
  about: 'what a worker that is killed with -9 costs its cycle, and whether anything is lost or done twice',
  run: async (progress, { kills = KILLS }) => {
    const { server } = await resolveTemporal(readEnvironment());
    const tried = await killWorkers({ kills, seed: SEED, tell: (cycle) => progress(lineOf(cycle)) });
    for (const { rule, seq, what } of tried.violations) progress(`violation: ${rule} (row ${seq}): ${what}`);
    return {
      figures: figuresOf(tried),
      versions: {
        node: process.version,
        temporal: server,
        machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
        load: loadavg()
          .map((load) => load.toFixed(1))
          .join(' '),
      },
    };
  },
};

const figuresOf = (tried: WorkerKills): Figure[] => {
  const { cycles, violations } = tried;
  const costs = costsOf(tried);
  const leftovers = leftoversOf(tried);
  const calm = cycles.filter(({ kill }) => kill === null).map(({ tookMs }) => tookMs / 1_000);
  const lost = cycles.filter(({ end }) => end.outcome !== 'promoted');
  const seconds = (name: string, value: number) => explaining(name, value, 's', costs.length);
  return [
    explaining('kills', costs.length, '', costs.length),
    explaining('cycles', cycles.length, '', cycles.length),
    atMost(0, explaining('violations', violations.length, '', cycles.length)),
    atMost(0, explaining('cycles that were not promoted', lost.length, '', cycles.length)),
    explaining('cycle without a kill, median', median(calm), 's', calm.length),
    seconds('recovery p50', percentile(costs, 0.5)),
    atMost(TARGET, seconds('recovery p95', percentile(costs, 0.95))),
    atMost(TARGET, seconds('recovery max', Math.max(...costs))),
    explaining('left for the next cycle, max', Math.max(...leftovers), 's', leftovers.length),
  ];
};

const lineOf = ({ cycle, end, tookMs, kill }: TriedCycle): string => {
  const killed =
    kill && `${kill.worker} killed after ${(kill.afterMs / 1_000).toFixed(1)} s, in ${kill.stage ?? 'between'}`;
  return [cycle, end.outcome, `${(tookMs / 1_000).toFixed(1)} s`, killed ?? 'no kill'].join('  ');
};
