import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchesOf, inOrder } from '../../../ml/session/batches.ts';

const lengths = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 });
const budgets = fc.integer({ min: 1, max: 400 });

test('texts of a length share a batch, the longest come first, and padding counts towards the budget', () => {
  expect(batchesOf([3, 8, 3, 8, 2], 16)).toEqual([
    [1, 3],
    [0, 2, 4],
  ]);
});

test('a text that is over the budget by itself stands alone', () => {
  expect(batchesOf([5, 900, 5], 10)).toEqual([[1], [0, 2]]);
});

test('every text is in one batch, and no batch of several is over the budget', () => {
  fc.assert(
    fc.property(lengths, budgets, (all, budget) => {
      const batches = batchesOf(all, budget);
      expect(batches.flat().sort((a, b) => a - b)).toEqual(all.map((_, at) => at));
      for (const batch of batches) {
        const longest = Math.max(...batch.map((at) => all[at] as number));
        expect(batch.length === 1 || batch.length * longest <= budget).toBe(true);
      }
    }),
  );
});

test('rows come back in the order of their texts', () => {
  fc.assert(
    fc.property(lengths, budgets, (all, budget) => {
      const batches = batchesOf(all, budget);
      const rows = batches.map((batch) => Float32Array.from(batch.flatMap((at) => [at, at + 0.5])));
      expect([...inOrder(batches, rows, 2)]).toEqual(all.flatMap((_, at) => [at, at + 0.5]));
    }),
  );
});
