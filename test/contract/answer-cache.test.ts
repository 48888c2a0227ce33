import { describe, expect, test } from 'vitest';
import { flights } from '../../adapters/answer-cache/flights.ts';
import { memoryAnswers } from '../../adapters/answer-cache/memory.ts';
import { answersOf } from '../../adapters/answer-cache/of-environment.ts';
import { type AnswerParts, answerKey } from '../../adapters/answer-cache/port.ts';
import { describeAnswerCache } from './answer-cache.ts';

describeAnswerCache('memory', async () => {
  let at = 1_000;
  const later = async (ms: number) => {
    at += ms;
  };
  return { cache: await answersOf({ answerCache: null }, { now: () => at }), later };
});

describe('in memory', () => {
  test('the answer that nobody asked for the longest goes first', async () => {
    const cache = memoryAnswers(() => 0, { entries: 3 });
    for (const key of ['a', 'b', 'c']) await cache.set(key, key);
    await cache.get('a');
    await cache.set('b', 'again');
    await cache.set('d', 'd');
    expect(await cache.get('c')).toBeNull();
    expect(await Promise.all(['a', 'b', 'd'].map((key) => cache.get(key)))).toEqual(['a', 'again', 'd']);
  });

  test('large answers push out more than one, and one that is larger than all the room is not kept', async () => {
    const cache = memoryAnswers(() => 0, { bytes: 10_000 });
    for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, 'x'.repeat(900));
    await cache.set('large', 'x'.repeat(3_000));
    expect(await Promise.all(['a', 'b', 'c', 'd', 'large'].map((key) => cache.get(key)))).toEqual([
      null,
      null,
      null,
      'x'.repeat(900),
      'x'.repeat(3_000),
    ]);
    await cache.set('huge', 'x'.repeat(5_000));
    expect(await cache.get('huge')).toBeNull();
  });

  test('what went gives its room back, however it went', async () => {
    let at = 0;
    const cache = memoryAnswers(() => at, { bytes: 5_000 });
    for (let n = 0; n < 100; n += 1) {
      await cache.set('replaced', 'x'.repeat(n));
      await cache.set(`grown too old ${n}`, 'x');
      at += 300_000;
      await cache.get(`grown too old ${n}`);
    }
    await cache.set('a', 'x'.repeat(1_000));
    await cache.set('b', 'x'.repeat(500));
    expect(await cache.get('a')).toHaveLength(1_000);
  });
});

const PARTS: AnswerParts = {
  service: 'docs',
  variant: 'v1',
  index: { seq: 7 },
  tenant: 'default',
  query: 'lift of a wing',
  options: { k: 10, filter: { year: 1958, kind: 'report' } },
};

test.each<[string, Partial<AnswerParts>]>([
  ['service', { service: 'other' }],
  ['variant', { variant: 'v2' }],
  ['state of the index', { index: { seq: 8 } }],
  ['tenant', { tenant: 'other' }],
  ['query', { query: 'lift of a wing ' }],
  ['option', { options: { k: 11, filter: { year: 1958, kind: 'report' } } }],
  ['place of a word', { service: 'docsv', variant: '1' }],
])('another %s is another key', (_, other) => {
  expect(answerKey({ ...PARTS, ...other })).not.toBe(answerKey(PARTS));
});

test('the same question in another order of its options is the same key, and the key does not tell it', () => {
  const key = answerKey({ ...PARTS, options: { filter: { kind: 'report', year: 1958 }, k: 10 } });
  expect(key).toBe(answerKey(PARTS));
  expect(key).toMatch(/^[\w-]{43}$/);
});

describe('work that several ask for', () => {
  test('is done once while it runs, and again for whoever asks later', async () => {
    const once = flights<number>();
    let done = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = async () => {
      await promise;
      done += 1;
      return done;
    };
    const all = [once('a', work), once('a', work), once('a', work), once('b', work)];
    resolve();
    expect(await Promise.all(all)).toEqual([1, 1, 1, 2]);
    expect(await once('a', work)).toBe(3);
  });

  test('fails for all who wait, and is tried again by the next', async () => {
    const once = flights<string>();
    const broken = () => Promise.reject(new Error('no index'));
    const ends = await Promise.allSettled([once('a', broken), once('a', broken)]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await once('a', async () => 'found')).toBe('found');
  });
});
