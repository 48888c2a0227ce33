import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readable, storable } from '../../adapters/postgres/text.ts';

test('a text comes back as it was written, NULs and marks and all, and no NUL is sent', () => {
  const awkward = fc.string({ unit: fc.constantFrom('\0', '\uF8F0', '0', '1', 'a', 'é', '\u{1f600}') });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), awkward), (text) => {
      expect(storable(text)).not.toContain('\0');
      expect(readable(storable(text))).toBe(text);
    }),
  );
});

test('a text without NUL is stored as it is, for whoever reads it with SQL', () => {
  expect(storable('because 50 % of "it" is \\0 and \u{1f600}')).toBe('because 50 % of "it" is \\0 and \u{1f600}');
});
