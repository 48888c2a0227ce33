import { describe, expect, test } from 'vitest';
import type { ReceivedAnswer } from '../../contracts/feedback.ts';
import { countClicks, mergeCounts } from '../../domain/click-counts.ts';
import { fitClickModel, LEAST_CLICKS } from '../../domain/click-model.ts';
import { judgementsFromClicks, trajectoriesOf, weightedPairs } from '../../domain/click-training.ts';
import { clickedNdcg } from '../../domain/clicked-ndcg.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { browsed, shuffled } from '../support/clicks.ts';

const EXAMINATION = [1, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2, 0.17, 0.15, 0.12];
/** From .75 for the best document down, the same for every query. */
const attraction = (_: string, document: string): number => 0.75 * 0.7 ** Number(document.slice(1));
const users = { examination: EXAMINATION, attraction };
const BEST = Array.from({ length: 10 }, (_, n) => `d${n}`);
const queries = (n: number) => Array.from({ length: n }, (_, at) => `query ${at}`);

const visits = (times: number, order: (random: Random) => readonly string[], seed = 3): ReceivedAnswer[] => {
  const random = seeded(seed);
  return queries(10).flatMap((query) =>
    Array.from({ length: times }, () => browsed(users, { query, ranked: order(random) }, random)),
  );
};
/** The best order, with two neighbours changed now and then, as two variants that are alike would have it. */
const neighbours = (random: Random): readonly string[] => {
  const ranked = [...BEST];
  const at = Math.floor(random() * 18);
  if (at < 9) ranked.splice(at, 2, ...ranked.slice(at, at + 2).reverse());
  return ranked;
};
const anyOrder = (random: Random): readonly string[] => shuffled(BEST, random);
const modelOf = (answers: readonly ReceivedAnswer[]) => fitClickModel(countClicks(answers));

describe('the click model', () => {
  test('finds how often places are looked at and what attracts, as they were planted', () => {
    const { places, attractions, tooFew } = modelOf(visits(1_000, anyOrder));
    expect(tooFew).toBeNull();
    for (const [at, truth] of EXAMINATION.entries()) {
      expect(Math.abs((places[at]?.examination ?? 0) - truth), `place ${at + 1}`).toBeLessThan(0.03);
    }
    for (const { query, document, value } of attractions) {
      expect(Math.abs(value - attraction(query, document)), document).toBeLessThan(0.12);
    }
    const inside = attractions.filter(({ document, low, high }) => {
      const truth = attraction('', document);
      return low <= truth && truth <= high;
    });
    expect(inside.length).toBeGreaterThan(0.88 * attractions.length);
  });

  test('is not deceived by a good order, in which what stands below is worse as well as less seen', () => {
    const { places, attractions } = modelOf(visits(4_000, neighbours));
    for (const [at, place] of places.entries()) {
      if (place === null) continue;
      const off = Math.abs(place.examination / (EXAMINATION[at] ?? 1) - 1);
      expect(off, `place ${at + 1}`).toBeLessThan(2.5 * place.error + 0.02);
    }
    expect(places.slice(0, 5)).not.toContain(null);
    const best = attractions.filter(({ document }) => document === 'd0').map(({ value }) => value);
    expect(Math.abs(best.reduce((sum, value) => sum + value, 0) / best.length - 0.75)).toBeLessThan(0.03);
  });

  test('where every document keeps its place no place is known, and it says so', () => {
    const { places, tooFew, attractions } = modelOf(visits(500, () => BEST));
    expect(places.slice(1).every((place) => place === null)).toBe(true);
    expect(tooFew).toContain('no place can be told from the first one');
    expect(new Set(attractions.map(({ document }) => document))).toEqual(new Set(['d0']));
  });

  test('with a handful of clicks it says how many are needed', () => {
    const { tooFew, clicks } = modelOf(visits(3, anyOrder));
    expect(clicks).toBeLessThan(LEAST_CLICKS);
    expect(tooFew).toBe(`there are ${clicks} clicks, and ${LEAST_CLICKS} are needed at least`);
  });

  test('without any clicks there is a model that knows nothing', () => {
    expect(fitClickModel([])).toMatchObject({ places: [{ examination: 1 }], attractions: [], clicks: 0 });
  });

  test('counts of two windows that are merged are the counts of both', () => {
    const all = visits(40, anyOrder);
    const merged = mergeCounts([countClicks(all.slice(0, 150)), countClicks(all.slice(150))]);
    expect(fitClickModel(merged)).toEqual(fitClickModel(countClicks(all)));
  });

  test('an answer of which nobody said what was shown teaches nothing', () => {
    const [answer] = visits(1, anyOrder);
    expect(countClicks([{ ...(answer as ReceivedAnswer), shown: null }])).toEqual([]);
  });
});

describe('NDCG from clicks', () => {
  const gain = (document: string | undefined): number => (document === undefined ? 0 : attraction('', document));
  const dcg = (ranked: readonly string[]): number =>
    ranked.slice(0, 5).reduce((sum, document, place) => sum + gain(document) / Math.log2(place + 2), 0);
  const poor = ['d2', 'd0', 'd5', 'd1', 'd7', 'd3', 'd4', 'd6', 'd8', 'd9'];

  test('the interval holds what the ranking is worth, and a poor ranking is told from a good one', () => {
    const model = modelOf(visits(1_000, anyOrder));
    const reading = (ranked: readonly string[]) =>
      clickedNdcg(
        queries(10).flatMap((query) => Array(5).fill({ query, ranked })),
        model,
        7,
      );
    const [good, bad] = [reading(BEST), reading(poor)];
    expect(bad?.n).toBe(50);
    expect(bad?.low).toBeLessThan(dcg(poor) / dcg(BEST));
    expect(bad?.high).toBeGreaterThan(dcg(poor) / dcg(BEST));
    expect(good?.value).toBeGreaterThan(0.95);
    expect(good?.low).toBeGreaterThan(bad?.high ?? 1);
    expect(reading(poor)).toEqual(bad);
  });

  test('there is none while the first five places are not all known', () => {
    const rankings = queries(10).map((query) => ({ query, ranked: BEST }));
    expect(clickedNdcg(rankings, modelOf(visits(3, anyOrder)), 7)).toBeNull();
    expect(clickedNdcg(rankings, modelOf(visits(500, () => BEST)), 7)).toBeNull();
  });
});

describe('what is learned', () => {
  const model = modelOf(visits(1_000, anyOrder));
  const [answer] = visits(1, () => BEST) as [ReceivedAnswer];
  const clicked = { ...answer, clicks: [{ document: 'd3', position: 4, dwellMs: 900 }] };

  test('a click further down weighs as much more as its place is looked at less, up to ten times', () => {
    const [pair] = weightedPairs([clicked], model);
    expect(pair).toMatchObject({ query: answer.query, positive: 'd3', negatives: BEST.filter((one) => one !== 'd3') });
    expect(Math.abs((pair?.weight ?? 0) - 1 / 0.4)).toBeLessThan(0.2);
    const unseen = { ...model, places: [{ examination: 0.001, error: 0.1 }] };
    expect(
      weightedPairs([{ ...clicked, clicks: [{ document: 'd0', position: 1, dwellMs: null }] }], unseen),
    ).toMatchObject([{ weight: 10 }]);
    expect(weightedPairs([clicked], { ...model, places: [] })).toEqual([]);
  });

  test('a trajectory holds what was shown and what was taken; a short look is no choice where it was measured', () => {
    expect(trajectoriesOf([clicked, { ...answer, clicks: [] }])).toEqual([
      { query: answer.query, shown: BEST, chosen: ['d3'] },
    ]);
    expect(trajectoriesOf([clicked], 1_000)).toEqual([]);
  });

  test('grades from clicks are those that were planted, where the confidence is high', () => {
    const grade = (share: number): number => [0.1, 0.3, 0.6].filter((from) => share >= from).length;
    const sure = judgementsFromClicks(model).filter(({ confidence }) => confidence > 0.9);
    expect(sure.length).toBeGreaterThan(40);
    const right = sure.filter((one) => one.grade === grade(attraction('', one.document)));
    expect(right.length / sure.length).toBeGreaterThan(0.9);
    expect(judgementsFromClicks(modelOf(visits(3, anyOrder))).every(({ confidence }) => confidence < 0.95)).toBe(true);
  });
});
