import fc from 'fast-check';
import { expect, test } from 'vitest';
import { familyOf, folds, heldOutFamilies } from '../../domain/held-out.ts';
import { apartFrom, withoutNearDuplicates } from '../../domain/near-duplicates.ts';

test.each([
  ['@temporalio/client', 'temporalio'],
  ['@temporalio/worker', 'temporalio'],
  ['@protobufjs/utf8', 'protobufjs'],
  ['oxc-parser', 'oxc'],
  ['undici-types', 'undici'],
  ['@types/node', 'node'],
  ['@types/json-schema', 'json'],
  ['lodash.camelcase', 'lodash'],
  ['zod', 'zod'],
])('%s belongs to the family %s', (name, family) => {
  expect(familyOf(name)).toBe(family);
});

test('families are held out whole, as many as the share asks for, and the same ones in any order', () => {
  const items = Array.from({ length: 400 }, (_, n) => `family-${n % 37}`);
  const held = heldOutFamilies(items, 0.25);
  const share = items.filter((item) => held.has(item)).length / items.length;
  expect(share).toBeGreaterThanOrEqual(0.25);
  expect(share).toBeLessThan(0.35);
  expect(heldOutFamilies(items.toReversed(), 0.25)).toEqual(held);
});

test('folds hold every query once, and differ in size by one at most', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (ids, count) => {
      const made = folds(
        ids.map((id) => ({ id })),
        count,
        7,
      );
      expect(
        made
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual([...ids].sort());
      const sizes = made.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test('folds depend on the seed and not on the order of the queries', () => {
  const items = Array.from({ length: 50 }, (_, n) => ({ id: `q${n}` }));
  expect(folds(items.toReversed(), 5, 1)).toEqual(folds(items, 5, 1));
  expect(folds(items, 5, 2)).not.toEqual(folds(items, 5, 1));
});

const SAID = 'reads the entire contents of a file and returns it as a buffer or a string';
test('what was learned from is apart from what is held out, even where only a part was copied', () => {
  const learned = [`${SAID} of utf8`, 'opens a socket and listens on the given port', 'closes the server'];
  expect(apartFrom(learned, [`when asked it ${SAID}`], String, 0.5)).toEqual(learned.slice(1));
  expect(apartFrom(learned, [`when asked it ${SAID}`], String, 0.99)).toEqual(learned);
});

test('of nearly equal texts the first stays', () => {
  expect(withoutNearDuplicates([SAID, 'opens a socket on a port', `${SAID} x`], String)).toEqual([
    SAID,
    'opens a socket on a port',
  ]);
});
