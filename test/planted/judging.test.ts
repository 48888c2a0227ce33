/** Bugs in what decides by data: missing data must never pass for good data. */
import type { StageDeps } from '../../activities/stage-deps.ts';
import type { VitalsSource } from '../../adapters/vitals/port.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import { testPlan } from '../support/plan.ts';
import type { Code } from './copies.ts';
import { describePlants, type Plant } from './plant.ts';
import { CYCLE, SERVICE, StoreScene, WORKFLOW } from './store-scene.ts';

const NDCG = { name: 'ndcg', metric: 'ndcg', rule: { below: 0.5 }, samples: 20, windowMs: 60_000, withinMs: 60_000 };
const PLAN: CyclePlan = testPlan({ gates: [NDCG], watch: { forMs: 1_000, samples: 20, maxDrop: 0.03 } });

const good = { value: 0.9, n: 100, low: 0.85, high: 0.95 };
const fine = { value: 0, n: 100, low: 0, high: 0.03 };

/** The real stage, on vitals that the test gives. */
const stageOf = async (code: Code, read: VitalsSource['read']) => {
  const scene = await StoreScene.open(code);
  const { control, artifacts, gold, challenger } = scene;
  const deps = { control, artifacts, vitals: { read }, now: () => scene.at } as unknown as StageDeps;
  const input = { service: SERVICE, cycle: CYCLE, key: WORKFLOW, champion: gold, plan: PLAN };
  return { scene, deps, input, challenger };
};
const readingsOf = (readings: Vitals['readings']): Vitals => {
  return { service: SERVICE, variant: null, from: '', to: '', readings };
};

const lookAtGates = async (code: Code): Promise<readonly string[]> => {
  const { createMonitorActivities } =
    await code.load<typeof import('../../activities/monitor.ts')>('activities/monitor.ts');
  const { scene, deps, input } = await stageOf(code, async () => readingsOf({}));
  const { findings } = await createMonitorActivities(deps).findBreach({ ...input, stage: 'monitor' });
  scene.end();
  return findings.some(({ state }) => state === 'pass') ? ['seen: a gate that passes without a reading'] : [];
};

const watchWithout = async (code: Code, missing: 'samples' | 'challenger'): Promise<readonly string[]> => {
  const { createWatchActivities } = await code.load<typeof import('../../activities/watch.ts')>('activities/watch.ts');
  const few = { ndcg: { ...good, n: 3 }, errors: { ...fine, n: 3 } };
  const { scene, deps, input, challenger } = await stageOf(code, async ({ variant }) =>
    readingsOf(variant === challenger ? (missing === 'samples' ? few : {}) : { ndcg: good, errors: fine }),
  );
  const since = new Date(scene.at).toISOString();
  const { state } = await createWatchActivities(deps).watch({ ...input, stage: 'watch', challenger, since });
  scene.end();
  return state === 'healthy' ? ['seen: a challenger that is healthy without data'] : [];
};

const plants: readonly Plant[] = [
  {
    bug: 'a gate that passes where nothing was read',
    edits: [
      {
        file: 'domain/gate.ts',
        from: "if (reading === undefined) return { ...known, state: 'no data'",
        to: "if (reading === undefined) return { ...known, state: 'pass'",
      },
    ],
    run: lookAtGates,
    foundBy: 'seen: a gate that passes without a reading',
  },
  {
    bug: "a watch to which 'no data' is healthy",
    edits: [
      {
        file: 'domain/watch.ts',
        from: "if (missing.length > 0) return { state: 'no data', reasons: missing };",
        to: '',
      },
    ],
    run: (code) => watchWithout(code, 'challenger'),
    foundBy: 'seen: a challenger that is healthy without data',
  },
  {
    bug: 'a watch that takes any number of samples for enough',
    edits: [{ file: 'domain/watch.ts', from: 'return n >= samples ? []', to: 'return n > 0 ? []' }],
    run: (code) => watchWithout(code, 'samples'),
    foundBy: 'seen: a challenger that is healthy without data',
  },
];

describePlants('in what judges,', plants);
