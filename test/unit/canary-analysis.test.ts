import { describe, expect, test } from 'vitest';
import type {
  Analysis,
  AnalysisOutcome,
  CanaryJudgement,
  Judging,
  Measure,
  MeasuredValue,
  Measurement,
} from '../../contracts/canary.ts';
import { type AnalysisHistory, compacted, outcomeAtEnd, outcomeOf, worst } from '../../domain/canary/analysis.ts';
import { assess } from '../../domain/canary/assess.ts';
import { dueNow } from '../../domain/canary/due.ts';

const START = Date.UTC(2026, 10, 21, 12);
const at = (seconds: number): string => new Date(START + 1_000 * seconds).toISOString();
const MINUTE = 60_000;

const measure = (over: Partial<Measure> = {}): Measure => ({
  name: 'latency',
  metric: 'latency',
  intervalMs: MINUTE,
  count: null,
  delayMs: 0,
  windowMs: 5 * MINUTE,
  samples: 30,
  success: 'result <= 100',
  failure: 'result > 200',
  failureLimit: 0,
  inconclusiveLimit: 0,
  errorLimit: 4,
  successes: null,
  missing: 'inconclusive',
  dryRun: false,
  ...over,
});
const judging = (over: Partial<Judging> = {}): Judging => ({
  metrics: [],
  intervalMs: MINUTE,
  count: 1,
  delayMs: 0,
  confidence: 0.98,
  samples: 50,
  pass: 95,
  marginal: 75,
  ...over,
});
const analysisOf = (measures: readonly Measure[], judge: Judging | null = null): Analysis => ({
  measures,
  judging: judge,
});
const measured = (value: number | null, over: Partial<MeasuredValue> = {}): MeasuredValue => ({
  ...{ value, low: value, high: value, n: 100 },
  ...over,
});
const taken = (result: MeasuredValue | null, over: Partial<Measurement> = {}): Measurement => ({
  ...{ name: 'latency', at: at(0), result, baseline: measured(100), error: null },
  ...over,
});

/** By letter: passed, failed, inconclusive, error. */
const VALUES: Readonly<Record<string, Measurement>> = {
  p: taken(measured(50)),
  f: taken(measured(250)),
  i: taken(measured(150)),
  e: taken(null, { error: 'the source is gone' }),
};
const run = (letters: string, over: Partial<Measurement> = {}): AnalysisHistory => ({
  measurements: [...letters].map((letter) => ({ ...(VALUES[letter] as Measurement), ...over })),
  judgements: [],
});
const judged = (...outcomes: readonly AnalysisOutcome[]): AnalysisHistory => ({
  measurements: [],
  judgements: outcomes.map((outcome): CanaryJudgement => ({ outcome, score: 80, because: 'x', metrics: [] })),
});

describe('what a measurement means', () => {
  const only = (side: 'success' | 'failure') =>
    measure({ success: null, failure: null, [side]: side === 'success' ? 'result <= 100' : 'result > 200' });
  test.each([
    ['only success: what does not succeed fails', only('success'), 150, 'failed'],
    ['only success: what succeeds passes', only('success'), 100, 'passed'],
    ['only failure: what does not fail passes', only('failure'), 150, 'passed'],
    ['only failure: what fails fails', only('failure'), 201, 'failed'],
    ['both: neither is inconclusive', measure(), 150, 'inconclusive'],
    ['both: success passes', measure(), 50, 'passed'],
    ['both: failure fails', measure(), 250, 'failed'],
    ['both hold: failure counts', measure({ success: 'result > 0' }), 250, 'failed'],
    ['no condition says nothing', measure({ success: null, failure: null }), 1, 'inconclusive'],
    ['a condition that nobody can read is an error', measure({ success: 'result >' }), 1, 'error'],
  ] as const)('%s', (_, of, value, expected) => {
    expect(assess(of, taken(measured(value)))).toBe(expected);
  });

  test('what could not be read is an error, whatever else there is', () => {
    expect(assess(measure({ missing: 'failed' }), taken(measured(1), { error: 'gone' }))).toBe('error');
  });

  const nothing: ReadonlyArray<readonly [string, Measurement]> = [
    ['a window without data', taken(null)],
    ['a value that is no number', taken(measured(null))],
    ['an interval with an end that is no number', taken(measured(50, { high: null }))],
    ['NaN that somebody passed on', taken(measured(Number.NaN))],
    ['one request too few', taken(measured(50, { n: 29 }))],
  ];
  test.each(nothing)('%s counts as the measure says, and never as a pass', (_, measurement) => {
    for (const missing of ['failed', 'inconclusive', 'error'] as const) {
      expect(assess(measure({ missing }), measurement)).toBe(missing);
      expect(assess(measure({ missing, success: null }), measurement)).toBe(missing);
    }
  });

  test('as many requests as are asked for are enough', () => {
    expect(assess(measure(), taken(measured(50, { n: 30 })))).toBe('passed');
  });

  test.each([
    ['no baseline', null],
    ['a baseline of too few requests', measured(100, { n: 29 })],
    ['a baseline that is no number', measured(null)],
  ])('%s is missing where a condition asks for it, and only there', (_, baseline) => {
    const against = measure({ success: null, failure: 'result > 2 * baseline', missing: 'error' });
    expect(assess(against, taken(measured(50), { baseline }))).toBe('error');
    expect(assess(measure(), taken(measured(50), { baseline }))).toBe('passed');
  });

  test('a failure that is certain counts although the other condition has a part that is missing', () => {
    const both = measure({ success: 'result < baseline', missing: 'error' });
    expect(assess(both, taken(measured(250), { baseline: null }))).toBe('failed');
    expect(assess(both, taken(measured(50), { baseline: null }))).toBe('error');
  });
});

describe('when a measure has come to an end', () => {
  test.each([
    ['one failure is too many where none is allowed', {}, 'pf', 'failed'],
    ['failures up to the limit go on', { failureLimit: 2 }, 'fpf', 'going on'],
    ['failures beyond it fail, also apart from one another', { failureLimit: 2 }, 'fpfpf', 'failed'],
    ['inconclusive ones up to the limit go on', { inconclusiveLimit: 1 }, 'ip', 'going on'],
    ['inconclusive ones beyond it end it', { inconclusiveLimit: 1 }, 'ipi', 'inconclusive'],
    ['errors in a row up to the limit go on', { errorLimit: 2 }, 'ee', 'going on'],
    ['errors in a row beyond it are an error', { errorLimit: 2 }, 'eee', 'error'],
    ['a measurement between them starts the row anew', { errorLimit: 2 }, 'eepee', 'going on'],
    ['the count passes', { count: 3 }, 'ppp', 'passed'],
    ['before the count it goes on', { count: 3 }, 'pp', 'going on'],
    ['an error brings the count no nearer', { count: 3 }, 'pepe', 'going on'],
    ['failures within the limit do not keep the count from passing', { count: 3, failureLimit: 1 }, 'pfp', 'passed'],
    ['a failure too many fails at the count as well', { count: 3 }, 'ppf', 'failed'],
    ['what never passed is no pass at the count', { count: 2, inconclusiveLimit: 9 }, 'ii', 'inconclusive'],
    ['passes in a row end it before the count', { count: 9, successes: 2 }, 'pp', 'passed'],
    ['passes apart do not', { count: 9, successes: 2, failureLimit: 1 }, 'pfp', 'going on'],
    ['an error between them breaks the row', { count: 9, successes: 2 }, 'pep', 'going on'],
    ['no such row up to the count is inconclusive', { count: 3, successes: 2, failureLimit: 1 }, 'pfp', 'inconclusive'],
    ['without a count it goes on and on', {}, 'p'.repeat(500), 'going on'],
    ['what has ended stays ended', { errorLimit: 0 }, 'eppppp', 'error'],
    ['what has passed stays passed', { count: 1 }, 'pfff', 'passed'],
  ] as const)('%s', (_, over, letters, expected) => {
    expect(outcomeOf(analysisOf([measure(over)]), run(letters)).outcome).toBe(expected);
  });

  test('the reason holds the figures', () => {
    const { because } = outcomeOf(analysisOf([measure({ failureLimit: 1 })]), run('fpf'));
    expect(because).toBe('latency failed 2 times, 1 allowed; last: 250 (100) against 100 (100) of the baseline');
  });
});

describe('what the judge says', () => {
  const judge = (over: Partial<Judging>, ...outcomes: readonly AnalysisOutcome[]) =>
    outcomeOf(analysisOf([], judging(over)), judged(...outcomes)).outcome;
  test('its last judgement decides', () => {
    expect(judge({ count: 2 }, 'inconclusive')).toBe('going on');
    expect(judge({ count: 2 }, 'inconclusive', 'passed')).toBe('passed');
    expect(judge({ count: 2 }, 'passed', 'inconclusive')).toBe('inconclusive');
  });
  test('a failed one is enough, however many were to come', () => {
    expect(judge({ count: 9 }, 'passed', 'failed')).toBe('failed');
  });
  test('an error is no judgement, and five in a row are an error', () => {
    expect(judge({ count: 1 }, 'error', 'error', 'error', 'error')).toBe('going on');
    expect(judge({ count: 1 }, 'error', 'error', 'error', 'error', 'error')).toBe('error');
    expect(judge({ count: 1 }, 'error', 'passed')).toBe('passed');
  });
});

describe('what the analysis comes to', () => {
  test('the worst outcome wins, in the written order', () => {
    expect(worst(['passed', 'inconclusive', 'failed', 'error'])).toBe('error');
    expect(worst(['passed', 'inconclusive', 'failed'])).toBe('failed');
    expect(worst(['passed', 'inconclusive'])).toBe('inconclusive');
    expect(worst(['passed'])).toBe('passed');
    expect(worst([])).toBe('inconclusive');
  });

  const two = analysisOf([measure({ count: 1 }), measure({ name: 'errors', count: 2 })]);
  const both = (latency: string, errors: string): AnalysisHistory => ({
    measurements: [...run(latency).measurements, ...run(errors, { name: 'errors' }).measurements],
    judgements: [],
  });
  test('it passes where all of them have passed', () => {
    expect(outcomeOf(two, both('p', 'p')).outcome).toBe('going on');
    expect(outcomeOf(two, both('p', 'pp')).outcome).toBe('passed');
  });
  test('one that ends badly ends it, whatever the others are about to say', () => {
    expect(outcomeOf(two, both('f', 'p')).outcome).toBe('failed');
    expect(outcomeOf(two, both('i', '')).outcome).toBe('inconclusive');
    expect(outcomeOf(two, both('f', 'i')).outcome).toBe('failed');
  });
  test('the judge and the measures count alike', () => {
    const mixed = analysisOf([measure({ count: 1 })], judging());
    const history = (letters: string, outcome: AnalysisOutcome) => ({ ...run(letters), ...pick(judged(outcome)) });
    const pick = ({ judgements }: AnalysisHistory) => ({ judgements });
    expect(outcomeOf(mixed, run('p')).outcome).toBe('going on');
    expect(outcomeOf(mixed, history('p', 'passed')).outcome).toBe('passed');
    expect(outcomeOf(mixed, history('p', 'failed')).outcome).toBe('failed');
    expect(outcomeOf(mixed, history('f', 'passed')).outcome).toBe('failed');
  });

  test('a dry run decides nothing, whatever it measures', () => {
    const dry = analysisOf([measure({ count: 1 }), measure({ name: 'errors', count: 1, dryRun: true })]);
    expect(outcomeOf(dry, both('p', '')).outcome).toBe('passed');
    expect(outcomeOf(dry, both('p', 'f')).outcome).toBe('passed');
    expect(outcomeOf(dry, both('', 'p')).outcome).toBe('going on');
  });
  test.each([
    ['nothing at all', analysisOf([])],
    ['dry runs alone', analysisOf([measure({ count: 1, dryRun: true })])],
  ])('an analysis of %s is inconclusive, never a pass', (_, empty) => {
    expect(outcomeOf(empty, run('p')).outcome).toBe('inconclusive');
    expect(outcomeAtEnd(empty, run('p')).outcome).toBe('inconclusive');
  });

  test('what has no count goes on for as long as the counted ones do', () => {
    const beside = analysisOf([measure({ count: 1 }), measure({ name: 'errors' })]);
    expect(outcomeOf(beside, both('', 'p')).outcome).toBe('going on');
    expect(outcomeOf(beside, both('p', 'p')).outcome).toBe('passed');
    expect(outcomeOf(beside, both('p', '')).outcome).toBe('inconclusive');
  });

  test('stopped, it passes by what it has seen, and is inconclusive where it saw nothing', () => {
    const background = analysisOf([measure({ inconclusiveLimit: 9 })]);
    expect(outcomeAtEnd(background, run('')).outcome).toBe('inconclusive');
    expect(outcomeAtEnd(background, run('iie')).outcome).toBe('inconclusive');
    expect(outcomeAtEnd(background, run('ipi')).outcome).toBe('passed');
    expect(outcomeAtEnd(background, run('pf')).outcome).toBe('failed');
    const judge = analysisOf([], judging({ count: null }));
    expect(outcomeAtEnd(judge, judged('passed', 'inconclusive')).outcome).toBe('inconclusive');
    expect(outcomeAtEnd(judge, judged('inconclusive', 'passed', 'error')).outcome).toBe('passed');
  });

  test('months of it in a few numbers come to the same', () => {
    const letters = 'pppifpepiepppfpe';
    for (const over of [
      { failureLimit: 1, inconclusiveLimit: 1 },
      { inconclusiveLimit: 9, failureLimit: 9 },
    ]) {
      const long = analysisOf([measure(over)], judging({ count: 3 }));
      for (let cut = 0; cut <= letters.length; cut += 1) {
        const whole = { ...run(letters), judgements: judged('inconclusive', 'passed').judgements };
        const first = { measurements: whole.measurements.slice(0, cut), judgements: whole.judgements.slice(0, 1) };
        const rest = { measurements: whole.measurements.slice(cut), judgements: whole.judgements.slice(1) };
        const { before } = compacted(long, first);
        expect(JSON.parse(JSON.stringify(before))).toEqual(before);
        const resumed = { ...rest, ...(before && { before }) };
        expect(outcomeOf(long, resumed)).toEqual(outcomeOf(long, whole));
        expect(dueNow(long, resumed, START, START)).toEqual(dueNow(long, whole, START, START));
      }
    }
  });
});

describe('when the next one is due', () => {
  const names = ({ measures }: ReturnType<typeof dueNow>) => measures.map(({ name }) => name);
  const second = 1_000;
  const slow = measure({ name: 'slow', intervalMs: 5 * MINUTE, delayMs: 2 * MINUTE });
  const analysis = analysisOf([measure(), slow], judging({ count: 2, delayMs: 3 * MINUTE }));
  const none: AnalysisHistory = { measurements: [], judgements: [] };

  test('the first at once, or after the delay', () => {
    expect(names(dueNow(analysis, none, START, START))).toEqual(['latency']);
    expect(dueNow(analysis, none, START, START).nextMs).toBe(START + MINUTE);
    expect(names(dueNow(analysis, none, START, START + 2 * MINUTE))).toEqual(['latency', 'slow']);
    expect(dueNow(analysis, none, START, START + 2 * MINUTE).judging).toBe(false);
    expect(dueNow(analysis, none, START, START + 3 * MINUTE).judging).toBe(true);
  });

  test('the next one an interval after the last', () => {
    const history = run('p', { at: at(10) });
    const now = START + 30 * second;
    expect(dueNow(analysis, history, START, now)).toEqual({
      measures: [],
      judging: false,
      nextMs: START + 70 * second,
    });
    expect(names(dueNow(analysis, history, START, START + 70 * second))).toEqual(['latency']);
  });

  test('an hour without a worker is made up for by one measurement, not by sixty', () => {
    const history = run('p', { at: at(3_600) });
    const due = dueNow(analysisOf([measure()]), history, START, START + 3_600 * second);
    expect(due).toEqual({ measures: [], judging: false, nextMs: START + 3_660 * second });
  });

  test('a clock that stands still where measurements are stamped lets none be taken more often', () => {
    const history = run('ppp', { at: at(-9_999) });
    const only = analysisOf([measure()]);
    expect(dueNow(only, history, START, START + 2 * MINUTE)).toMatchObject({
      measures: [],
      nextMs: START + 3 * MINUTE,
    });
  });
  test('a clock that runs ahead does not put the next one off', () => {
    const only = analysisOf([measure()]);
    const due = dueNow(only, run('p', { at: at(9_999) }), START, START + MINUTE);
    expect(due).toMatchObject({ measures: [], nextMs: START + 2 * MINUTE });
  });

  test('judgements by the moment that they carry, or by their number', () => {
    const only = analysisOf([], judging({ count: 3 }));
    const [one] = judged('passed').judgements;
    const history = (moment?: string) => ({
      measurements: [],
      judgements: one ? [{ ...one, ...(moment && { at: moment }) }] : [],
    });
    expect(dueNow(only, history(at(600)), START, START + 610 * second)).toMatchObject({
      judging: false,
      nextMs: START + 660 * second,
    });
    expect(dueNow(only, history(), START, START + 30 * second)).toMatchObject({
      judging: false,
      nextMs: START + MINUTE,
    });
    expect(dueNow(only, history(), START, START + MINUTE)).toMatchObject({ judging: true, nextMs: START + 2 * MINUTE });
  });

  test('what has ended is not due any more, and nothing is once the analysis has ended', () => {
    const counted = analysisOf([measure({ count: 1 }), slow]);
    const far = START + 60 * MINUTE;
    expect(dueNow(counted, run('p'), START, far)).toEqual({ measures: [], judging: false, nextMs: null });
    const two = analysisOf([measure({ count: 1 }), measure({ name: 'slow', count: 2 })]);
    expect(names(dueNow(two, run('p'), START, far))).toEqual(['slow']);
    expect(dueNow(two, run('f'), START, far)).toEqual({ measures: [], judging: false, nextMs: null });
  });

  test('a dry run is measured like the others', () => {
    const dry = analysisOf([measure(), measure({ name: 'errors', dryRun: true })]);
    expect(names(dueNow(dry, none, START, START))).toEqual(['latency', 'errors']);
  });
});
