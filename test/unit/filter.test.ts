import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Metadata, MetadataFilter } from '../../contracts/retrieval.ts';
import { matches } from '../../domain/filter.ts';

const metadata: Metadata = { team: 'docs', year: 2024, draft: false, version: '2', empty: '', none: 0 };

describe('metadata meets a filter', () => {
  test.each<[string, MetadataFilter]>([
    ['that asks for nothing', {}],
    ['by a text', { team: 'docs' }],
    ['by a number', { year: 2024 }],
    ['by a truth value', { draft: false }],
    ['by an empty text and by zero, which are values like others', { empty: '', none: 0 }],
    ['by one of several', { team: { in: ['web', 'docs'] }, year: { in: [2023, 2024] } }],
    ['at both ends of a range', { year: { from: 2024, to: 2024 } }],
    ['above a lower end', { year: { from: 2000 } }],
    ['below an upper end', { year: { to: 3000 } }],
    ['of a range without ends, where it is a number', { year: {} }],
    ['by all conditions at once', { team: 'docs', year: { from: 2020 }, version: { in: ['1', '2'] } }],
  ])('%s', (_, filter) => expect(matches(metadata, filter)).toBe(true));
});

describe('metadata does not meet a filter', () => {
  test.each<[string, MetadataFilter]>([
    ['by another text', { team: 'web' }],
    ['by a text in other letters', { team: 'Docs' }],
    ['by a number written as text', { year: '2024' }],
    ['by a text that reads as a number', { version: 2 }],
    ['by 0 for false', { draft: 0 }],
    ['by a text among numbers', { version: { in: [1, 2] } }],
    ['by one of none', { team: { in: [] } }],
    ['below a range', { year: { from: 2025 } }],
    ['above a range', { year: { to: 2023 } }],
    ['with a text for a range', { version: { from: 1, to: 3 } }],
    ['with a text for a range without ends', { team: {} }],
    ['with a truth value for a range', { draft: { from: 0, to: 1 } }],
    ['with an end that is no number', { year: { from: Number.NaN } }],
    ['with a name that it does not have', { colour: 'red' }],
    ['with a name that it does not have, in a range without ends', { colour: {} }],
    ['where one of several conditions fails', { team: 'docs', year: 1999 }],
  ])('%s', (_, filter) => expect(matches(metadata, filter)).toBe(false));
});

test('what metadata merely inherits is not its own', () => {
  const heir: Metadata = Object.create({ team: 'docs' });
  expect(matches(heir, { team: 'docs' })).toBe(false);
});

const value = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: -3, max: 3 }), fc.boolean());
const record = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), value);

test('metadata always meets the filter that asks for all that it holds, and no longer once one value is another', () => {
  fc.assert(
    fc.property(record, fc.nat(), (held, at) => {
      expect(matches(held, held)).toBe(true);
      const names = Object.keys(held);
      const name = names[at % Math.max(1, names.length)];
      if (name === undefined) return;
      expect(matches({ ...held, [name]: `${held[name]}!` }, held)).toBe(false);
    }),
  );
});

test('a filter with one more condition never lets more through', () => {
  fc.assert(
    fc.property(record, record, record, (held, filter, more) => {
      if (matches(held, { ...filter, ...more }) && Object.keys(more).every((name) => !Object.hasOwn(filter, name)))
        expect(matches(held, filter)).toBe(true);
    }),
  );
});
