import { describe, expect, test } from 'vitest';
import type { TrainingExample } from '../../contracts/lora.ts';
import { continued, thinned } from '../../domain/loss-curve.ts';
import { normalised } from '../../domain/tokens.ts';
import { gainsNoMore, nextStop, whyNotExtend } from '../../domain/training-course.ts';
import { type Measured, splitExamples } from '../../domain/training-data.ts';
import { examplesOfJudgements, examplesOfTrajectories } from '../../domain/training-examples.ts';

/** Words that no other text has. */
const own = (n: number, what: string): string => ['a', 'b', 'c', 'd'].map((part) => `${what}${part}${n}`).join(' ');
const example = (n: number): TrainingExample => ({ query: `how to ${own(n, 'q')}`, positive: `with ${own(n, 'p')}` });
const examples = Array.from({ length: 200 }, (_, n) => example(n));
const words = (texts: readonly string[]): Set<string> => new Set(texts.map(normalised));

describe('examples', () => {
  test('are split by query and seed, and no side is empty', () => {
    const { train, validation, heldOut } = splitExamples(examples, 1);
    expect(train.length).toBeGreaterThan(100);
    expect(validation.queries.length).toBeGreaterThan(5);
    expect(heldOut.queries.length).toBeGreaterThan(20);
    const sides = [train, validation.queries, heldOut.queries].map((side) => words(side.map(({ query }) => query)));
    const all = sides.flatMap((side) => [...side]);
    expect(new Set(all).size).toBe(all.length);
    expect(splitExamples(examples, 2).train).not.toEqual(train);
  });

  test('stay on their side when others come', () => {
    const before = words(splitExamples(examples.slice(0, 100), 1).heldOut.queries.map(({ query }) => query));
    const after = words(splitExamples(examples, 1).heldOut.queries.map(({ query }) => query));
    expect([...before].filter((query) => !after.has(query))).toEqual([]);
  });

  test('that say the same twice count once, in whatever spelling', () => {
    const shouted = examples.map(({ query, positive }) => ({
      query: `${query.toUpperCase()}!`,
      positive: `${positive}.`,
    }));
    const { train, dropped } = splitExamples([...examples, ...shouted], 1);
    expect(train).toEqual(splitExamples(examples, 1).train);
    expect(dropped['the same query and positive again']).toBe(examples.length);
  });

  test('of one query in two spellings stand on one side', () => {
    const { heldOut } = splitExamples(examples, 1);
    const held = new Set(heldOut.queries.map(({ query }) => query));
    const others = examples
      .filter(({ query }) => held.has(query))
      .map(({ query }, n) => ({ query: `${query.toUpperCase()}?`, positive: own(n + 900, 'p') }));
    const again = splitExamples([...examples, ...others], 1);
    expect(again.heldOut.queries.length).toBe(heldOut.queries.length);
    expect(again.dropped).toEqual({});
  });

  test('with the answer to a held-out query are not learned from, whatever their own query says', () => {
    const { heldOut } = splitExamples(examples, 1);
    const [first] = heldOut.queries;
    const answer = heldOut.corpus.find(({ id }) => id in (first?.relevant ?? {}))?.text ?? '';
    const copies = Array.from({ length: 20 }, (_, n) => ({
      query: own(n + 500, 'q'),
      positive: `${answer} !`,
    }));
    const { train, dropped } = splitExamples([...examples, ...copies], 1);
    expect(train.filter(({ positive }) => normalised(positive) === normalised(answer))).toEqual([]);
    expect(dropped['nearly the same as something held out']).toBeGreaterThan(5);
  });

  test('whose query is nearly one that a service holds out are not learned from', () => {
    const long = 'how do I read a very large file line by line without loading all of it into memory at once';
    const given: Measured = { queries: [{ query: long, relevant: { a: 1 } }], corpus: [{ id: 'a', text: 'x' }] };
    const near = { query: `${long} please`, positive: 'read it as a stream' };
    const { train, heldOut } = splitExamples([...examples, near], 1, given);
    expect(heldOut).toBe(given);
    expect(train).not.toContainEqual(near);
    expect(train.length).toBeGreaterThan(150);
  });

  test('without words are dropped, and so are negatives that say what the positive says', () => {
    const learned = splitExamples(examples, 1).train[0] ?? example(0);
    const odd: TrainingExample[] = [
      { query: '…', positive: 'something' },
      { query: 'a question about nothing', positive: '' },
      { ...learned, negatives: [`${learned.positive}!`, 'another'], grades: [2, 0, 1] },
    ];
    const { train, dropped } = splitExamples([...examples.filter(({ query }) => query !== learned.query), ...odd], 1);
    expect(dropped['no words in the query or the positive']).toBe(2);
    expect(train.find(({ query }) => query === learned.query)).toMatchObject({
      negatives: ['another'],
      grades: [2, 1],
    });
  });

  test('are none where there are none', () => {
    expect(splitExamples([], 1)).toMatchObject({ train: [], heldOut: { queries: [], corpus: [] } });
  });
});

const texts: Record<string, string> = { a: 'text a', b: 'text b', c: 'text c', d: 'text d' };
const textOf = (id: string): string | undefined => texts[id];

test('a judged query gives an example for each relevant document, with what was judged lower as negatives', () => {
  const queries = [{ id: 'q', text: 'which', judgements: { a: 1, b: 2, c: 0, gone: 3 } }];
  expect(examplesOfJudgements(queries, textOf)).toEqual([
    { query: 'which', positive: 'text b', negatives: ['text a', 'text c'], grades: [2, 1, 0] },
    { query: 'which', positive: 'text a', negatives: ['text c'], grades: [1, 0] },
  ]);
});

test('what somebody looked past is a negative, what stood below their choice is not', () => {
  const trajectory = { query: 'which', shown: ['a', 'gone', 'b', 'c', 'd'], chosen: ['c', 'a'] };
  expect(examplesOfTrajectories([trajectory], textOf)).toEqual([
    { query: 'which', positive: 'text c', negatives: ['text b'], grades: [1, 0] },
    { query: 'which', positive: 'text a' },
  ]);
});

const curve = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ step: from + at, loss: 1, learningRate: 0, gradientNorm: 0 }));

test('a loss curve stays small, and keeps both its ends', () => {
  const whole = thinned(curve(1, 10_000));
  expect(whole.length).toBeLessThanOrEqual(100);
  expect([whole[0]?.step, whole.at(-1)?.step]).toEqual([1, 10_000]);
  expect(thinned(curve(1, 50))).toHaveLength(50);
});

test('steps that are gone over again replace what was measured of them before', () => {
  expect(continued(curve(1, 9), curve(5, 12)).map(({ step }) => step)).toEqual(curve(1, 12).map(({ step }) => step));
});

test('a leg ends at an evaluation and at the last step', () => {
  expect([0, 9, 10, 25].map((step) => nextStop(step, 27, { evaluateEvery: 10 }))).toEqual([10, 10, 20, 27]);
  expect(nextStop(3, 27, { evaluateEvery: 0 })).toBe(27);
});

test('training stops when so many evaluations in a row brought nothing better', () => {
  const points = (...ndcg: number[]) => ndcg.map((value, at) => ({ step: at, ndcg: value }));
  expect(gainsNoMore(points(0.5, 0.4, 0.5), 2)).toBe(true);
  expect(gainsNoMore(points(0.5, 0.4, 0.51), 2)).toBe(false);
  expect(gainsNoMore(points(0.5, 0.4), 2)).toBe(false);
  expect(gainsNoMore(points(0.5, 0.1, 0.1, 0.1), 0)).toBe(false);
});

test('an extension is a number of steps within what was allowed', () => {
  expect(whyNotExtend(10, 90, 100)).toBeNull();
  for (const bad of [11, 0, -1, 0.5, Number.NaN, '5', null, undefined])
    expect(whyNotExtend(bad, 90, 100)).not.toBeNull();
});
