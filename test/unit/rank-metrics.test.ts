import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ndcg, recall, reciprocalRank } from '../../domain/rank-metrics.ts';

const judgements = { a: 3, b: 2, c: 0 };

describe('NDCG@10', () => {
  test.each([
    ['the ideal order', ['a', 'b'], 1],
    ['the wrong way round', ['b', 'a'], (3 + 7 / Math.log2(3)) / (7 + 3 / Math.log2(3))],
    ['what is judged 0, or not at all, gains nothing', ['c', 'x', 'a'], 7 / 2 / (7 + 3 / Math.log2(3))],
    ['a repeated document counts once', ['b', 'b', 'a'], (3 + 7 / Math.log2(3)) / (7 + 3 / Math.log2(3))],
    ['beyond the tenth place nothing counts', [...'0123456789', 'a'], 0],
    ['nothing found', [], 0],
  ])('%s', (_, ranked, expected) => {
    expect(ndcg(ranked, judgements)).toBeCloseTo(expected, 12);
  });

  test('a document called like a property of every object is not relevant', () => {
    expect(ndcg(['constructor', 'toString', '__proto__'], judgements)).toBe(0);
  });

  const grades = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 4 }), {
    maxKeys: 15,
  });
  test('lies between 0 and 1, and is 1 exactly for an ideal order', () => {
    fc.assert(
      fc.property(grades, fc.array(fc.string({ maxLength: 4 })), (judged, noise) => {
        const order = Object.entries(judged).sort((a, b) => b[1] - a[1]);
        const score = ndcg([...noise, ...order.map(([id]) => id)], judged);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        const any = order.some(([, grade]) => grade > 0);
        expect(
          ndcg(
            order.map(([id]) => id),
            judged,
          ),
        ).toBe(any ? 1 : 0);
      }),
    );
  });

  test('never falls when a better document moves up', () => {
    fc.assert(
      fc.property(grades, fc.nat(9), (judged, seed) => {
        const ids = Object.keys(judged);
        const at = ids.length < 2 ? 0 : 1 + (seed % (ids.length - 1));
        const [upper, lower] = [ids[at - 1], ids[at]];
        if (upper === undefined || lower === undefined) return;
        if ((judged[upper] ?? 0) > (judged[lower] ?? 0)) return;
        const swapped = ids.with(at - 1, lower).with(at, upper);
        expect(ndcg(swapped, judged)).toBeGreaterThanOrEqual(ndcg(ids, judged) - 1e-12);
      }),
    );
  });
});

test('the reciprocal rank looks at the first relevant document only', () => {
  expect(reciprocalRank(['x', 'b', 'a'], judgements)).toBe(1 / 2);
  expect(reciprocalRank(['x', 'c'], judgements)).toBe(0);
});

test('recall counts each relevant document once', () => {
  expect(recall(['a', 'a', 'x'], judgements)).toBe(1 / 2);
  expect(recall(['a', 'b'], judgements)).toBe(1);
  expect(recall(['a'], { a: 0 })).toBe(0);
});
