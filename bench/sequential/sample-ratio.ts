/**
 * Whether lost subjects are noticed, and how often a loss is seen where there is none. Both arms of an evaluation are dealt as
 * many subjects, in every phase of its ramp; the rest of the traffic belongs to neither.
 */
import { type Random, seeded } from '../../domain/random.ts';
import { type DealtPhase, MISMATCH, sampleRatioP } from '../../domain/statistics/sample-ratio.ts';
import type { Figure } from '../benchmark.ts';
import { binomial } from './draws.ts';
import type { Part } from './part.ts';
import { bounded, rate } from './rate.ts';

const TESTS = 2_000;
/** Looks in each phase. */
const LOOKS = 40;
const RAMP = [0.01, 0.05, 0.1, 0.25, 0.5] as const;
/** Subjects of the service between two looks; some 14,600 are dealt to the two arms in all. */
const EACH = 200;
const LOST = [0.02, 0.05, 0.1] as const;

type Draw = (random: Random) => number;

/** Whether an alarm was raised at any look, and whether at the last. */
const oneRamp = (
  random: Random,
  draws: readonly Draw[],
  kept: number,
): { readonly ever: boolean; readonly last: boolean } => {
  const phases: DealtPhase[] = [];
  let [ever, last] = [false, false];
  draws.forEach((draw, phase) => {
    let [champion, challenger] = [0, 0];
    for (let look = 0; look < LOOKS; look += 1) {
      champion += draw(random);
      for (let left = draw(random); left > 0; left -= 1) if (random() < kept) challenger += 1;
      phases[phase] = { observed: [champion, challenger], expected: [1, 1] };
      last = (sampleRatioP(phases) ?? 1) < MISMATCH;
      ever ||= last;
    }
  });
  return { ever, last };
};

export const sampleRatio: Part = (progress) => {
  progress('sample ratio');
  const draws = RAMP.map((share) => binomial(EACH, share));
  const random = seeded(200);
  const figures = (lost: number): readonly Figure[] => {
    const all = Array.from({ length: TESTS }, () => oneRamp(random, draws, 1 - lost));
    const last = all.filter((one) => one.last).length;
    const ever = all.filter((one) => one.ever).length;
    if (lost > 0)
      return [rate(`sample ratio, ${100 * lost} % of the challenger's subjects lost: noticed`, ever, TESTS)];
    return [
      ...bounded('sample ratio, none lost: false alarms of one look', last, TESTS, MISMATCH),
      rate(`sample ratio, none lost: false alarms of ${LOOKS * RAMP.length} looks`, ever, TESTS),
    ];
  };
  return [0, ...LOST].flatMap(figures);
};
