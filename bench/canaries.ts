/**
 * Canaries that are worse by the rungs of a ladder, and good ones beside them: real cycles of real processes, through the real
 * gateway and the real Temporal server, under traffic. What each may end as is worked out before anything is tried.
 */
import '../drills/quiet-runtime.ts';
import { violationsOf } from '../check/check.ts';
import type { Benchmark } from './benchmark.ts';
import { account } from './canaries/account.ts';
import { type Attempt, attempt } from './canaries/attempt.ts';
import { deck, nameOf, PLANS, type Trial } from './canaries/ladder.ts';
import { openScene, type Place, type Scene } from './canaries/scene.ts';
import { stated } from './canaries/stated.ts';

const CANARIES = 300;

export const canaries: Benchmark = {
  about:
    'canaries that are worse by a known size, under traffic: what is rolled back, held, promoted, and how soon (--canaries N)',
  run: async (progress, { canaries: n }) => {
    progress('starting a home of its own');
    const scene = await openScene();
    let isClean = false;
    try {
      progress('calm: what the traffic shows is worked out');
      const said = await stated(scene);
      for (const [plan, { sentence }] of said) progress(`${plan}: ${sentence}`);
      const attempts = await attemptAll(scene, deck(n ?? CANARIES), progress);
      await scene.stop();
      const violations = violationsOf(scene.home.home);
      for (const { rule, what } of violations) progress(`${rule}: ${what}`);
      const figures = account(attempts, said, violations.length);
      isClean = figures.every(({ holds }) => holds !== false);
      if (!isClean) progress(`the home is kept: ${scene.home.home}`);
      return { figures, versions: { node: process.versions.node } };
    } finally {
      await scene.end({ keep: !isClean });
    }
  },
};

/** Each service tries one after the other, of those that are for its plan. */
const attemptAll = async (
  scene: Scene,
  trials: readonly Trial[],
  progress: (line: string) => void,
): Promise<readonly Attempt[]> => {
  const waiting = new Map(PLANS.map(({ plan }) => [plan, trials.filter(({ asking }) => asking.plan === plan)]));
  const done: Attempt[] = [];
  const at = async (place: Place): Promise<void> => {
    const queue = waiting.get(place.asking.plan) ?? [];
    for (let trial = queue.shift(); trial; trial = queue.shift()) {
      const one = await attempt(scene, place, trial, done.length);
      done.push(one);
      const { outcome, because, perSecond, championMs } = one;
      const after = championMs === null ? '' : ` after ${Math.round(championMs)} ms`;
      progress(
        `${done.length}/${trials.length} ${place.service}, ${nameOf(trial.kind)}: ${outcome}${after}, ${perSecond.toFixed(0)}/s (${because})`,
      );
    }
  };
  await Promise.all(scene.places.map(at));
  return done;
};
