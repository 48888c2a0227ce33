/**
 * What a run of measurements, or of judgements, comes to.
 *
 * 1. Whatever ended once stays ended: what is measured after that changes nothing.
 * 2. An error is not a measurement: it brings `count` no nearer, and only errors one after the other end anything.
 * 3. A tally holds all that is needed of what it counted, so that a run of months is a few numbers.
 */
import type {
  AnalysisOutcome,
  CanaryJudgement,
  Judging,
  Measure,
  MeasuredValue,
  Measurement,
} from '../../contracts/canary.ts';
import type { Tally } from '../../contracts/canary-tally.ts';
import { assess } from './assess.ts';

export type { Tally };

export const NOTHING_YET: Tally = {
  ...{ tried: 0, measured: 0, passed: 0, failed: 0, inconclusive: 0, errorsInRow: 0, passesInRow: 0 },
  ...{ lastAt: null, last: null, end: null },
};

export const withMeasurement = (tally: Tally, measure: Measure, measurement: Measurement): Tally => {
  if (tally.end !== null) return tally;
  const next = counted(tally, assess(measure, measurement), measurement.at);
  const ended = END_OF_MEASURE.find(({ when }) => when(next, measure));
  if (ended === undefined) return next;
  const because = `${measure.name} ${ended.because(next, measure)}; last: ${seen(measurement)}`;
  return { ...next, end: { outcome: ended.outcome, because } };
};

/** A failed judgement is enough; an inconclusive one before the last is looked at again. */
export const withJudgement = (tally: Tally, judging: Judging, judgement: CanaryJudgement): Tally => {
  if (tally.end !== null) return tally;
  const { outcome, because, at } = judgement;
  const next = counted(tally, outcome, at ?? null);
  const isLast = judging.count !== null && next.measured >= judging.count;
  const ends = outcome === 'failed' || next.errorsInRow > MOST_JUDGING_ERRORS || (outcome !== 'error' && isLast);
  return ends ? { ...next, end: { outcome, because: `the judge: ${because}` } } : next;
};
/** A judge has no limit of its own; this is the usual one of a measure. */
const MOST_JUDGING_ERRORS = 4;

const counted = (tally: Tally, outcome: AnalysisOutcome, at: string | null): Tally => ({
  ...tally,
  tried: tally.tried + 1,
  measured: tally.measured + (outcome === 'error' ? 0 : 1),
  passed: tally.passed + (outcome === 'passed' ? 1 : 0),
  failed: tally.failed + (outcome === 'failed' ? 1 : 0),
  inconclusive: tally.inconclusive + (outcome === 'inconclusive' ? 1 : 0),
  errorsInRow: outcome === 'error' ? tally.errorsInRow + 1 : 0,
  passesInRow: outcome === 'passed' ? tally.passesInRow + 1 : 0,
  lastAt: at,
  last: outcome === 'error' ? tally.last : outcome,
});

interface End {
  readonly outcome: AnalysisOutcome;
  readonly when: (tally: Tally, measure: Measure) => boolean;
  readonly because: (tally: Tally, measure: Measure) => string;
}
/** The first one that applies. Limits come before `count`: what passed often enough has not failed too often. */
const END_OF_MEASURE: readonly End[] = [
  {
    outcome: 'failed',
    when: ({ failed }, { failureLimit }) => failed > failureLimit,
    because: ({ failed }, { failureLimit }) => `failed ${times(failed)}, ${failureLimit} allowed`,
  },
  {
    outcome: 'inconclusive',
    when: ({ inconclusive }, { inconclusiveLimit }) => inconclusive > inconclusiveLimit,
    because: ({ inconclusive }, measure) =>
      `was inconclusive ${times(inconclusive)}, ${measure.inconclusiveLimit} allowed`,
  },
  {
    outcome: 'error',
    when: ({ errorsInRow }, { errorLimit }) => errorsInRow > errorLimit,
    because: ({ errorsInRow }, { errorLimit }) =>
      `could not be measured ${times(errorsInRow)} in a row, ${errorLimit} allowed`,
  },
  {
    outcome: 'passed',
    when: ({ passesInRow }, { successes }) => successes !== null && passesInRow >= successes,
    because: ({ passesInRow }) => `passed ${times(passesInRow)} in a row`,
  },
  {
    outcome: 'inconclusive',
    when: ({ measured }, { count, successes }) => count !== null && measured >= count && successes !== null,
    because: ({ measured }, { successes }) => `was measured ${times(measured)} and never passed ${successes} in a row`,
  },
  // Limits that let a measurement fail do not make a pass of one that never passed.
  {
    outcome: 'inconclusive',
    when: ({ measured, passed }, { count }) => count !== null && measured >= count && passed === 0,
    because: ({ measured }) => `was measured ${times(measured)} and never passed`,
  },
  {
    outcome: 'passed',
    when: ({ measured }, { count }) => count !== null && measured >= count,
    because: ({ measured, passed }) => `passed ${passed} of ${times(measured)}`,
  },
];

const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);

const seen = ({ error, result, baseline }: Measurement): string =>
  error ?? `${shown(result)} against ${shown(baseline)} of the baseline`;
const shown = (measured: MeasuredValue | null): string =>
  measured === null || measured.value === null ? 'nothing' : `${Number(measured.value.toPrecision(4))} (${measured.n})`;
