import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openTokenizer, type Tokens } from '../../../ml/tokenizer/open.ts';
import { preparationFor } from '../../../ml/tokenizer/preparation.ts';
import { keptOfPair } from '../../../ml/tokenizer/truncation.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/ml/${name}`, import.meta.url));
const json = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));
const TINY = fixture('tiny-bert');
const LONG = 10_000;

/** One list a text. */
const rows = ({ ids, lengths }: Pick<Tokens, 'ids' | 'lengths'>): number[][] => {
  let at = 0;
  return [...lengths].map((length) => {
    at += length;
    return [...ids.subarray(at - length, at)];
  });
};
const types = ({ types: all = new Int32Array(0), lengths }: Tokens) => rows({ ids: all, lengths });

interface OddTexts {
  readonly singles: ReadonlyArray<readonly [text: string, ids: number[]]>;
  readonly pairs: ReadonlyArray<{
    readonly texts: readonly [string, string];
    readonly maxLength: number;
    readonly ids: number[];
    readonly types: number[];
    readonly alone: number[];
  }>;
}

describe("the ids are those of Hugging Face's tokenizers", () => {
  const tokenizer = openTokenizer(TINY);
  const odd: OddTexts = json('odd-texts.json');

  test('of sentences, of pairs, of what is too long', () => {
    const { texts, pairs, cases } = json('tokenizer.json');
    expect(cases.length).toBeGreaterThan(1);
    for (const { maxLength, ids, pairIds, pairTypes } of cases) {
      expect(rows(tokenizer.encode(texts, maxLength))).toEqual(ids);
      const encoded = tokenizer.encodePairs(pairs, maxLength);
      expect(rows(encoded)).toEqual(pairIds);
      expect(types(encoded)).toEqual(pairTypes);
    }
  });

  test('of texts that nobody writes', () => {
    expect(odd.singles.length).toBeGreaterThan(400);
    const differing = odd.singles.filter(([text, ids]) => String(rows(tokenizer.encode([text], LONG))) !== String(ids));
    expect(differing).toEqual([]);
  });

  test('of pairs of every length in every room', () => {
    for (const { texts, maxLength, ids, types: wanted, alone } of odd.pairs) {
      const encoded = tokenizer.encodePairs([texts], maxLength);
      expect([rows(encoded), types(encoded)]).toEqual([[ids], [wanted]]);
      expect(rows(tokenizer.encode([texts[0]], maxLength))).toEqual([alone]);
    }
  });

  test('the same in one call as in many', () => {
    const texts = odd.singles.map(([text]) => text);
    expect(rows(tokenizer.encode(texts, 12))).toEqual(texts.flatMap((text) => rows(tokenizer.encode([text], 12))));
  });
});

test('a capital sigma becomes σ at the end of a word too, where the tokenizer makes letters small', () => {
  const normalizer = { type: 'BertNormalizer', handle_chinese_chars: true, lowercase: true };
  expect(preparationFor({ normalizer })('ΟΔΟΣ')).toBe('ΟΔΟσ');
  expect(preparationFor({ normalizer: { ...normalizer, lowercase: false } })('ΟΔΟΣ')).toBe('ΟΔΟΣ');
  expect(preparationFor({ normalizer: { type: 'NFC' } })('ΟΔΟΣ 𠀀')).toBe('ΟΔΟΣ 𠀀');
});

test('no text is padded, and none is no text', () => {
  const tokenizer = openTokenizer(TINY);
  const { ids, lengths } = tokenizer.encode(['a', 'the cat and the dog'], LONG);
  expect([...lengths]).toEqual([3, 7]);
  expect(ids).toHaveLength(10);
  expect(tokenizer.encode([], LONG)).toEqual({ ids: new Int32Array(0), lengths: new Int32Array(0) });
});

test('a text that is too long keeps its special tokens', () => {
  const tokenizer = openTokenizer(TINY);
  const [whole = []] = rows(tokenizer.encode(['the cat and the dog'], LONG));
  const [cut = []] = rows(tokenizer.encode(['the cat and the dog'], 4));
  expect(cut).toEqual([...whole.slice(0, 3), whole.at(-1)]);
});

test.each([2, 0, -1, 3.5, Number.NaN])('a length of %s leaves no room for a text', (length) => {
  const tokenizer = openTokenizer(TINY);
  expect(() => tokenizer.encode(['a'], length)).toThrow(expect.objectContaining({ type: 'Usage' }));
  expect(() => tokenizer.encodePairs([['a', 'b']], length)).toThrow(expect.objectContaining({ type: 'Usage' }));
});

test.each([
  [3, 4, 7, [3, 4]],
  [3, 9, 8, [3, 5]],
  [9, 3, 8, [5, 3]],
  [9, 9, 8, [4, 4]],
  [9, 9, 7, [3, 4]],
  [9, 8, 7, [4, 3]],
  [0, 9, 4, [0, 4]],
] as const)('of %i and %i tokens in a room of %i, %j stay', (first, second, room, kept) => {
  expect(keptOfPair(first, second, room)).toEqual(kept);
});

test('a folder without a tokenizer, or with something else for one, is told', () => {
  const folder = temporaryFolder();
  const refused = expect.objectContaining({
    type: 'ConfigInvalid',
    message: expect.stringContaining('tokenizer.json'),
  });
  expect(() => openTokenizer(folder)).toThrow(refused);
  for (const text of ['', '[]', '{}', '{"model":{"type":"WordPiece"}}']) {
    writeFileSync(join(folder, 'tokenizer.json'), text);
    expect(() => openTokenizer(folder), text).toThrow(refused);
  }
});
