/** What every AnswerCache is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ANSWERS_LIVE_MS, type AnswerCache } from '../../adapters/answer-cache/port.ts';

export interface CacheScene {
  readonly cache: AnswerCache;
  /** Lets so much time pass, for what the cache holds. */
  later(ms: number): Promise<void>;
}

export const describeAnswerCache = (name: string, make: () => Promise<CacheScene>): void => {
  describe(`answer cache: ${name}`, () => {
    let cache: AnswerCache;
    let later: CacheScene['later'];
    beforeEach(async () => {
      ({ cache, later } = await make());
    });
    afterEach(() => cache.close());

    test('what was set comes back as it was, under its own key only', async () => {
      const value = JSON.stringify({ text: 'ü "quoted" 日本\n\u0000', scores: [0.1, -0] });
      await cache.set('a', value);
      await cache.set('empty', '');
      expect(await cache.get('a')).toBe(value);
      expect(await cache.get('empty')).toBe('');
      expect(await cache.get('b')).toBeNull();
    });

    test('what is set again replaces what was there', async () => {
      await cache.set('a', 'old');
      await cache.set('a', 'new');
      expect(await cache.get('a')).toBe('new');
    });

    test('an answer lives five minutes, counted from when it was set and not from when it was asked for', async () => {
      await cache.set('a', '1');
      await later(ANSWERS_LIVE_MS - 10_000);
      expect(await cache.get('a')).toBe('1');
      await later(10_001);
      expect(await cache.get('a')).toBeNull();
    });

    test('one that is set again lives five minutes more', async () => {
      await cache.set('a', '1');
      await later(ANSWERS_LIVE_MS - 10_000);
      await cache.set('a', '2');
      await later(20_000);
      expect(await cache.get('a')).toBe('2');
    });

    test('hits and misses are counted, and setting is neither', async () => {
      expect(cache.counts()).toEqual({ hits: 0, misses: 0, troubles: 0 });
      await cache.get('a');
      await cache.set('a', '1');
      await cache.get('a');
      await cache.get('a');
      expect(cache.counts()).toEqual({ hits: 2, misses: 1, troubles: 0 });
    });

    test('many at once get what is theirs', async () => {
      const keys = Array.from({ length: 200 }, (_, n) => `key-${n}`);
      await Promise.all(keys.map((key) => cache.set(key, `value of ${key}`)));
      expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys.map((key) => `value of ${key}`));
    });
  });
};
