import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { answersOf } from '../../adapters/answer-cache/of-environment.ts';
import { ANSWERS_LIVE_MS, type AnswerCache } from '../../adapters/answer-cache/port.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { PASSWORD, redisProgram, startRedis, type TestRedis } from '../support/redis.ts';
import { describeAnswerCache } from './answer-cache.ts';

describe.skipIf(redisProgram === null)('answers in Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  afterEach(() => redis.client.flushAll());

  interface Opened {
    readonly cache: AnswerCache;
    /** Troubles as they began, and null as they ended. */
    readonly told: Array<string | null>;
    /** Of the gateway, in milliseconds. */
    readonly clock: { at: number };
  }
  /** With patience, where it is not the time-out that is tested: the machine may be busy. */
  const open = async (url = redis.url, timeoutMs: number | null = 20_000): Promise<Opened> => {
    const told: Array<string | null> = [];
    const clock = { at: 0 };
    const environment = readEnvironment({ PAWL_CACHE: url });
    const deps = { now: () => clock.at, tell: (trouble: string | null) => void told.push(trouble) };
    const cache = await answersOf(environment, timeoutMs === null ? deps : { ...deps, timeoutMs });
    return { cache, told, clock };
  };
  /** Until it has answered once: what is asked before that is counted as trouble. */
  const answering = async ({ cache, clock }: Opened): Promise<void> => {
    const before = cache.counts();
    await vi.waitFor(async () => {
      clock.at += 1_000;
      await cache.get('is it there?');
      expect(cache.counts().misses).toBeGreaterThan(before.misses);
    }, 20_000);
  };
  const ready = async (timeoutMs?: null): Promise<Opened> => {
    const opened = await open(redis.url, timeoutMs);
    onTestFinished(() => opened.cache.close());
    await answering(opened);
    return opened;
  };

  /** Redis has a clock of its own: its keys are made older. */
  const later = async (ms: number): Promise<void> => {
    for (const key of await redis.client.keys('*')) {
      const left = await redis.client.pTTL(key);
      if (left >= 0) await redis.client.pExpire(key, left - ms);
    }
  };
  describeAnswerCache('Redis', async () => {
    const opened = await ready();
    return { cache: countingFrom(opened.cache), later };
  });

  test('two gateways share their answers, and Redis forgets them by itself', async () => {
    const [one, other] = [await ready(), await ready()];
    await one.cache.set('a', 'shared');
    expect(await other.cache.get('a')).toBe('shared');
    const [key = ''] = await redis.client.keys('*');
    expect(await redis.client.pTTL(key)).toBeGreaterThan(0);
    expect(await redis.client.pTTL(key)).toBeLessThanOrEqual(ANSWERS_LIVE_MS);
  });

  test('a Redis that hangs fails no request, is told once, and is left alone for a second', async () => {
    const opened = await ready(null);
    const { cache, told } = opened;
    redis.hang();
    onTestFinished(() => redis.goOn());
    const { troubles } = cache.counts();
    const before = told.length;
    expect(await Promise.all([cache.get('a'), cache.get('a')])).toEqual([null, null]);
    redis.goOn();
    expect(await cache.get('a')).toBeNull();
    await cache.set('a', '1');
    expect(cache.counts().troubles).toBe(troubles + 4);
    expect(told.slice(before)).toEqual([expect.stringContaining('50 ms')]);
    await answering(opened);
    expect(await redis.client.dbSize()).toBe(0);
    expect(told.at(-1)).toBeNull();
  });

  test('an answer that came while the gateway itself was busy is not too late', async () => {
    const { cache } = await ready(null);
    await cache.set('a', '1');
    const { troubles } = cache.counts();
    redis.hang();
    onTestFinished(() => redis.goOn());
    const asked = cache.get('a');
    for (let n = 0; n < 3; n += 1) await turn(); // The question has gone out by then.
    redis.goOn();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    expect(await asked).toBe('1');
    expect(cache.counts().troubles).toBe(troubles);
  });

  test('a connection on which nothing came back for five seconds is replaced', async () => {
    const connections = async () => (await redis.client.clientList()).map(({ id }) => id);
    const others = await connections();
    const opened = await ready(null);
    const { cache, clock } = opened;
    const mine = (await connections()).filter((id) => !others.includes(id));
    expect(mine).toHaveLength(1);
    redis.hang();
    onTestFinished(() => redis.goOn());
    clock.at += 4_999;
    await cache.get('a');
    redis.goOn();
    expect(await connections()).toEqual(expect.arrayContaining(mine));
    redis.hang();
    clock.at += 1_000;
    await cache.get('a');
    redis.goOn();
    await answering(opened);
    expect(await connections()).not.toEqual(expect.arrayContaining(mine));
  });

  test('a Redis that is gone fails no request and holds none up, and is used again when it is back', async () => {
    const [port = 0] = await freePorts(1);
    const first = await startRedis(port);
    const opened = await open(first.url);
    const { cache, told } = opened;
    onTestFinished(() => cache.close());
    await answering(opened);
    await first.stop();
    await vi.waitFor(() => expect(told.at(-1)).toEqual(expect.any(String)));
    const { troubles } = cache.counts();
    expect(await cache.get('a')).toBeNull();
    await cache.set('a', '1');
    expect(cache.counts().troubles).toBe(troubles + 2);
    const second = await startRedis(port);
    onTestFinished(() => second.stop());
    await answering(opened);
    await cache.set('a', '2');
    expect(await cache.get('a')).toBe('2');
    expect(told.at(-1)).toBeNull();
  });

  test('a wrong password is trouble, and is told without it', async () => {
    const { cache, told } = await open(redis.url.replace(PASSWORD, 'WRONG-6120'));
    onTestFinished(() => cache.close());
    await vi.waitFor(() => expect(told).toEqual([expect.stringMatching(/WRONGPASS|invalid/)]));
    expect(await cache.get('a')).toBeNull();
    expect(inspect(told)).not.toContain('WRONG-6120');
  });

  test('closing waits for nobody, also where there never was a Redis', async () => {
    const [port = 0] = await freePorts(1);
    const { cache } = await open(`redis://127.0.0.1:${port}`);
    expect(await cache.get('a')).toBeNull();
    await cache.close();
    await cache.close();
    expect(await cache.get('a')).toBeNull();
  });
});

/** As if it had been opened when it was ready. */
const countingFrom = (cache: AnswerCache): AnswerCache => {
  const before = cache.counts();
  const counts = (): ReturnType<AnswerCache['counts']> => {
    const { hits, misses, troubles } = cache.counts();
    return { hits: hits - before.hits, misses: misses - before.misses, troubles: troubles - before.troubles };
  };
  return { ...cache, counts };
};
