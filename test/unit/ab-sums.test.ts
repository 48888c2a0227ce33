import { describe, expect, test } from 'vitest';
import { clickedScores } from '../../domain/ab/clicked-score.ts';
import { expectation } from '../../domain/ab/expectation.ts';
import { type Known, MOST_ANSWERS, type SubjectAnswer, subjectSums } from '../../domain/ab/subject-values.ts';
import { countClicks } from '../../domain/click-counts.ts';
import { fitClickModel } from '../../domain/click-model.ts';
import { seeded } from '../../domain/random.ts';
import { browsed, shuffled } from '../support/clicks.ts';

const answer = (over: Partial<SubjectAnswer> = {}): SubjectAnswer => ({
  ...{
    at: 1,
    query: 'How?',
    ranked: ['x', 'a'],
    latencyMs: 100,
    error: null,
    cost: 0.002,
    tenant: null,
    clicked: false,
  },
  ...over,
});
const known: Known = {
  judgements: new Map([['how', { a: 1 }]]),
  clickedScore: (query) => (query === 'clicked' ? 0.25 : null),
};
const sums = (metric: string, ...answers: readonly SubjectAnswer[]) => {
  const { sum, count } = subjectSums(metric, answers, known);
  return [sum, count];
};
const failed = answer({ error: 'Internal', ranked: [], latencyMs: 9_000 });

describe("a subject's sums", () => {
  test('of quality are over judged queries of the default tenant that were answered', () => {
    const others = [answer({ query: 'unjudged' }), answer({ tenant: 'acme' }), failed];
    expect(sums('ndcg', answer(), ...others)).toEqual([1 / Math.log2(3), 1]);
    expect(sums('mrr', answer(), answer({ query: ' HOW ', tenant: 'default' }))).toEqual([1, 2]);
    expect(sums('recall', answer(), answer({ ranked: [] }))).toEqual([1, 2]);
  });
  test('count a document once that a ranking repeats', () => {
    expect(sums('ndcg', answer({ ranked: ['x', 'x', 'x', 'a', 'a'] }))).toEqual(sums('ndcg', answer()));
  });
  test('from clicks are over queries that nobody judged', () => {
    expect(sums('ndcg-from-clicks', answer(), answer({ query: 'clicked' }), answer({ query: 'unknown' }))).toEqual([
      0.25, 1,
    ]);
  });
  test('of time are over what was answered, of errors and cost over everything', () => {
    const slow = answer({ latencyMs: 900 });
    expect(sums('latency', answer(), slow, failed)).toEqual([1_000, 2]);
    expect(sums('latency-over-800', answer(), slow, failed)).toEqual([1, 2]);
    expect(sums('errors', answer(), slow, failed)).toEqual([1, 3]);
    expect(sums('cost', answer(), slow)).toEqual([4, 2]);
  });
  test('of clicks are over what was answered, and an answer was taken or not', () => {
    expect(sums('click-share', answer({ clicked: true }), answer(), failed)).toEqual([1, 2]);
  });
  test.each(['latency-p99', 'made up', 'toString', 'latency-over-'])(
    'there are none of %s, which is no sum over answers',
    (metric) => {
      expect(sums(metric, answer(), failed)).toEqual([0, 0]);
    },
  );
  test('hold so many answers at most, the first ones', () => {
    const many = Array.from({ length: 3 * MOST_ANSWERS }, (_, n) => answer({ clicked: n >= MOST_ANSWERS }));
    expect(sums('click-share', ...many)).toEqual([0, MOST_ANSWERS]);
  });
});

describe('a ranking by earlier clicks', () => {
  const BEST = ['a', 'b', 'c', 'd', 'e'];
  const random = seeded(5);
  const users = {
    examination: [1, 0.7, 0.5, 0.4, 0.3],
    attraction: (_: string, id: string) => 0.8 * 0.5 ** BEST.indexOf(id),
  };
  const told = ['one', 'two'].flatMap((query) =>
    Array.from({ length: 600 }, () => browsed(users, { query, ranked: shuffled(BEST, random) }, random)),
  );
  const score = clickedScores(fitClickModel(countClicks(told)));

  test('is as good as the best at best, and less the other way round', () => {
    expect(score('One', BEST)).toBeGreaterThan(0.99);
    expect(score('one', BEST.toReversed())).toBeLessThan(0.8);
  });
  test('gains nothing by repeating its best document', () => {
    expect(score('one', ['a', 'a', 'a', 'a', 'a'])).toBe(score('one', ['a']));
  });
  test('says nothing of a query that nobody clicked on, or by too few clicks', () => {
    expect(score('three', BEST)).toBeNull();
    expect(clickedScores(fitClickModel(countClicks(told.slice(0, 20))))('one', BEST)).toBeNull();
  });
});

describe('how long it will take', () => {
  const DAY = 86_400_000;
  const seen = Array.from({ length: 100 }, (_, n) => ({ sum: n % 2 === 0 ? 0.8 : 0.4, count: 1 }));
  const traffic = { metric: 'ndcg', gain: 0.03, alpha: 0.05, subjects: 7_000, forMs: 7 * DAY, seen };
  const asked = expectation(traffic);

  test('is said in days, for the gain that is assumed', () => {
    expect(asked.subjectsPerDay).toBe(1_000);
    expect(asked.days).toBeCloseTo((asked.subjectsNeeded ?? 0) / 1_000);
    expect(asked.sentence).toMatch(
      /^With your traffic this takes about \d+ days\. It takes [\d,]+ subjects if NDCG is 6 % better, and about 1,000 come a day\.$/,
    );
  });
  test('is longer than a test that is looked at once would take', () => {
    // 2 × (1.96 + 0.84)² × (sd / effect)²; sd is 0.2, and the effect 3 % of 0.6.
    const once = 4 * 2.8 ** 2 * (0.2 / 0.018) ** 2;
    expect(asked.subjectsNeeded).toBeGreaterThan(1.3 * once);
    expect(asked.subjectsNeeded).toBeLessThan(2.5 * once);
  });
  test('is longer where of most subjects nothing is measured', () => {
    const half = expectation({ ...traffic, seen: [...seen, ...seen.map(() => ({ sum: 0, count: 0 }))] });
    expect((half.subjectsNeeded ?? 0) / (asked.subjectsNeeded ?? 1)).toBeCloseTo(2, 1);
  });
  test('cannot be said without a measurement, nor without subjects', () => {
    const blind = expectation({ ...traffic, seen: [] });
    expect(blind).toMatchObject({
      subjectsNeeded: null,
      days: null,
      sentence: expect.stringContaining('cannot be said'),
    });
    expect(expectation({ ...traffic, subjects: 0, forMs: 0, seen: [] }).days).toBeNull();
  });
});
