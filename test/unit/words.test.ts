import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stem } from '../../domain/porter.ts';
import { identifierParts, normalised, tokens } from '../../domain/tokens.ts';

test.each([
  ['caresses', 'caress'],
  ['ponies', 'poni'],
  ['cats', 'cat'],
  ['feed', 'feed'],
  ['agreed', 'agre'],
  ['plastered', 'plaster'],
  ['motoring', 'motor'],
  ['sing', 'sing'],
  ['conflated', 'conflat'],
  ['hopping', 'hop'],
  ['falling', 'fall'],
  ['filing', 'file'],
  ['happy', 'happi'],
  ['sky', 'sky'],
  ['relational', 'relat'],
  ['conditional', 'condit'],
  ['vietnamization', 'vietnam'],
  ['operator', 'oper'],
  ['hopefulness', 'hope'],
  ['sensibiliti', 'sensibl'],
  ['triplicate', 'triplic'],
  ['electrical', 'electr'],
  ['goodness', 'good'],
  ['revival', 'reviv'],
  ['adjustment', 'adjust'],
  ['adoption', 'adopt'],
  ['probate', 'probat'],
  ['rate', 'rate'],
  ['cease', 'ceas'],
  ['controll', 'control'],
  ['roll', 'roll'],
  ['größe', 'größe'],
])('Porter takes %s to %s', (word, expected) => expect(stem(word)).toBe(expected));

test.each([
  ['readFileSync', ['read', 'file', 'sync']],
  ['HTTPServer', ['http', 'server']],
  ['utf8', []],
  ['plain', []],
])('the identifier %s has the parts %j', (word, parts) => expect(identifierParts(word)).toEqual(parts));

test('an identifier is found as a whole and by its parts', () => {
  const how = { stemming: true, splitIdentifiers: true };
  expect(tokens('fs.readFileSync() reads Files', how)).toEqual([
    'fs',
    'readfilesync',
    'read',
    'file',
    'sync',
    'read',
    'file',
  ]);
});

test('queries that differ in case, accents, punctuation and spaces only are the same', () => {
  expect(normalised('  How do I  CLOSE a café? ')).toBe(normalised('how do i close a cafe'));
});

test('a token never holds anything but letters and digits, so it can carry no syntax', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), fc.boolean(), (text, stemming, splitIdentifiers) => {
      for (const token of tokens(text, { stemming, splitIdentifiers })) expect(token).toMatch(/^[\p{L}\p{N}]+$/u);
    }),
    { numRuns: 2_000 },
  );
});
