import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seeded } from '../../domain/random.ts';
import { ACCEPTED_LOSS, calibrate, effectOf, type JudgedHits } from '../../domain/threshold.ts';

/** Queries with one relevant hit each and nine others, each kind with similarities of its own range. */
const judged = (count: number, relevant: [number, number], others: [number, number], seed = 1): JudgedHits[] => {
  const random = seeded(seed);
  const between = ([low, high]: [number, number]) => low + (high - low) * random();
  return Array.from({ length: count }, (_, query) => ({
    hits: [
      { document: `r${query}`, similarity: between(relevant) },
      ...Array.from({ length: 9 }, (__, at) => ({ document: `o${query}-${at}`, similarity: between(others) })),
    ].sort((a, b) => b.similarity - a.similarity),
    judgements: { [`r${query}`]: 1 },
  }));
};

describe('a calibrated threshold', () => {
  test('stands where the relevant hits begin, wherever an encoder puts them', () => {
    for (const shift of [-0.4, 0, 0.4]) {
      const queries = judged(200, [0.3 + shift, 0.5 + shift], [0.1 + shift, 0.3 + shift]);
      const found = calibrate(queries);
      expect(found.threshold).toBeGreaterThan(0.29 + shift);
      expect(found.threshold).toBeLessThan(0.31 + shift);
      expect(found).toMatchObject({ relevant: { all: 200 }, irrelevant: { all: 1_800 } });
    }
  });

  test('says what it takes away', () => {
    const queries = judged(200, [0.3, 0.5], [0.1, 0.4]);
    const found = calibrate(queries, 0.05);
    if (found.threshold === null) throw new Error(found.because);
    const similarities = queries.flatMap(({ hits, judgements }) =>
      hits.map(({ document, similarity }) => ({ isRelevant: document in judgements, similarity })),
    );
    const below = similarities.filter(({ similarity }) => similarity !== null && similarity < found.threshold);
    expect(found.relevant.lost).toBe(below.filter(({ isRelevant }) => isRelevant).length);
    expect(found.irrelevant.lost).toBe(below.filter(({ isRelevant }) => !isRelevant).length);
    expect(found.irrelevant.lost).toBeGreaterThan(500);
  });

  test('loses no more of relevant hits and of NDCG@10 than is accepted, whatever the similarities are', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 0.6, noNaN: true }),
        (seed, loss, apart) => {
          const found = calibrate(judged(150, [apart, 1], [0, 1], seed), loss);
          if (found.threshold === null) return;
          expect(found.relevant.lost).toBeLessThanOrEqual(loss * found.relevant.all);
          expect(found.ndcg.after).toBeGreaterThanOrEqual(found.ndcg.before * (1 - loss));
          expect(found.irrelevant.lost).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('keeps its promise, on average, for queries that were not judged', () => {
    const lost = Array.from({ length: 60 }, (_, seed) => {
      const { threshold } = calibrate(judged(120, [0.2, 1], [0, 0.6], seed), 0.05);
      if (threshold === null) return 0;
      const { relevant } = effectOf(judged(400, [0.2, 1], [0, 0.6], 1_000 + seed), threshold);
      return relevant.lost / relevant.all;
    });
    expect(lost.reduce((a, b) => a + b, 0) / lost.length).toBeLessThanOrEqual(0.05);
  });

  test('leaves alone what words found too', () => {
    const queries = judged(200, [0.3, 0.5], [0.1, 0.3]).map(({ hits, judgements }) => ({
      hits: [...hits, { document: 'by words', similarity: null }],
      judgements,
    }));
    const found = calibrate(queries);
    expect(found.threshold).not.toBeNull();
    expect(effectOf(queries, 0.9)).toMatchObject({ relevant: { all: 200, lost: 200 }, emptied: 0 });
  });

  test('counts the queries that it would leave without an answer', () => {
    const queries = judged(10, [0.4, 0.5], [0, 0.1]);
    expect(effectOf([...queries, { hits: [], judgements: { r: 1 } }], 0.6).emptied).toBe(10);
  });

  test('stands lower where the few that it would lose are what NDCG@10 lives from', () => {
    // Two queries of a hundred have all the relevant hits that are far away, and nothing else.
    const near = judged(98, [0.8, 1], [0.7, 0.79]).map((query) => ({
      ...query,
      judgements: { ...query.judgements, gone: 3, 'gone too': 3 },
    }));
    const far = [0, 1].map((query) => ({
      hits: [{ document: `far${query}`, similarity: 0.1 + query / 100 }],
      judgements: { [`far${query}`]: 3 },
    }));
    const odd = { hits: [{ document: 'odd', similarity: 0.05 }], judgements: { other: 1 } };
    const found = calibrate([...near, ...far, odd], 0.03);
    expect(found.threshold).toBeCloseTo(0.1, 3);
  });
});

describe('there is no threshold', () => {
  test('for fewer relevant hits than its promise takes', () => {
    expect(calibrate(judged(98, [0.9, 1], [0, 0.1]))).toEqual({
      threshold: null,
      because: 'It takes 99 relevant hits to tell; there are 98.',
    });
    expect(calibrate(judged(99, [0.9, 1], [0, 0.1])).threshold).not.toBeNull();
    expect(ACCEPTED_LOSS).toBe(0.01);
  });

  test('where nothing is less alike than what is relevant', () => {
    expect(calibrate(judged(200, [0, 0.1], [0.2, 1]))).toMatchObject({
      threshold: null,
      because: expect.stringMatching(/^No hit/),
    });
  });
});

test('a loss that is no share is refused', () => {
  expect(() => calibrate([], 1)).toThrow('loss: expected a share between 0 and 1, found 1');
  expect(() => calibrate([], Number.NaN)).toThrow('found NaN');
});
