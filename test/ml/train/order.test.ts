import { expect, test } from 'vitest';
import { orderOf } from '../../../ml/train/order.ts';

const ordering = { examples: 20, batch: 4, seed: 3 };
const steps = (from: number, to: number, order = orderOf(ordering)): number[][] =>
  Array.from({ length: to - from }, (_, n) => [...order(from + n)]);

test('an epoch sees every example once', () => {
  expect(
    steps(0, 5)
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual([...Array(20).keys()]);
  expect(
    steps(5, 10)
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual([...Array(20).keys()]);
});

test('epochs are ordered differently from one another, and from those of another seed', () => {
  expect(steps(0, 5)).not.toEqual(steps(5, 10));
  expect(steps(0, 5)).not.toEqual(steps(0, 5, orderOf({ ...ordering, seed: 4 })));
});

test('the batch of a step does not depend on the steps that were asked for before it', () => {
  const order = orderOf(ordering);
  const inTurn = steps(0, 12, order);
  expect([...order(3)]).toEqual(inTurn[3]);
  expect([...orderOf(ordering)(11)]).toEqual(inTurn[11]);
});

test('what is less than a batch sits out its epoch, and another rest the next one', () => {
  const order = orderOf({ ...ordering, examples: 22 });
  const seen = (from: number) => new Set(steps(from, from + 5, order).flat());
  expect(seen(0).size).toBe(20);
  expect([...seen(0)].toSorted()).not.toEqual([...seen(5)].toSorted());
});

test('no example at all is said to be too little, with a line as it should be', () => {
  expect(() => orderOf({ ...ordering, examples: 0 })).toThrow('There is no example to train on.');
});

test('a batch larger than the data is refused with the largest one that goes', () => {
  expect(() => orderOf({ ...ordering, examples: 3 })).toThrow(
    expect.objectContaining({ type: 'ConfigInvalid', hint: expect.stringContaining('batch to 3 or less') }),
  );
});
