import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leafOf } from '../../adapters/ledger/hashing.ts';
import { NO_ROW } from '../../contracts/ledger.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, shuffled(one)]),
  );
};

test('the keys of any value are in one order, and it means what it meant', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(shuffled(value))).toBe(text);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});

test('keys that look like numbers are ordered as texts, as RFC 8785 has it', () => {
  expect(canonicalJson({ 9: 1, 10: 2, a: 3, '': 4, '€': 5, '\u{1f600}': 6, '\ufb33': 7 })).toBe(
    '{"":4,"10":2,"9":1,"a":3,"€":5,"\u{1f600}":6,"\ufb33":7}',
  );
});

test('what JSON leaves out is left out, and what it cannot hold is refused', () => {
  expect(canonicalJson({ b: undefined, a: [undefined, null, -0, 1e21, 0.1] })).toBe('{"a":[null,null,0,1e+21,0.1]}');
  expect(canonicalJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, 1n, undefined]) {
    expect(() => canonicalJson(odd)).toThrow(TypeError);
    if (odd !== undefined) expect(() => canonicalJson({ deep: [odd] })).toThrow(TypeError);
  }
});

test('the leaf of a row is the canonical JSON of all its fields but the hash', () => {
  const text = fc.string({ unit: 'binary' });
  const row = fc.record({
    seq: fc.nat(),
    at: text,
    service: text,
    cycle: fc.option(text),
    kind: text,
    actor: fc.record({ kind: text, name: text }),
    reason: text,
    body: fc.dictionary(text, fc.jsonValue()),
    prev: fc.constant(NO_ROW),
  });
  fc.assert(
    fc.property(row, (one) => {
      expect(leafOf(one)).toBe(canonicalJson(one));
    }),
  );
});
