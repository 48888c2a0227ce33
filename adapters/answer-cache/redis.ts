/**
 * Answers in Redis, which several gateways share. How much it keeps, and what goes first, is said there: `maxmemory` and
 * `maxmemory-policy allkeys-lru`.
 *
 * 1. A question waits 50 ms at the most. After one that waited in vain nothing is asked for a second: a Redis that hangs slows
 *    down few requests, and not all of them.
 * 2. Without a connection nothing waits at all. It is made in the background, again and again.
 * 3. A connection on which nothing comes back is replaced: its other end may be gone without a word, and what was asked on
 *    it would pile up.
 */
import { createClient } from '@redis/client';
import { ANSWERS_LIVE_MS, type AnswerCache } from './port.ts';

export interface RedisDeps {
  readonly url: string;
  /** Goes on evenly, as `performance.now` does. */
  now(): number;
  /** Told once when trouble begins, and with null when it is over. */
  tell?(trouble: string | null): void;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 50;
const REST_MS = 1_000;
const CONNECT_MS = 2_000;
const PING_MS = 2_000;
const SILENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 5_000;
const PREFIX = 'pawl:answer:';

export const redisAnswers = ({ url, now, tell, timeoutMs = TIMEOUT_MS }: RedisDeps): AnswerCache => {
  const counts = { hits: 0, misses: 0, troubles: 0 };
  let restsUntil = Number.NEGATIVE_INFINITY;
  let inTrouble = false;

  const trouble = (because: string): void => {
    if (!inTrouble) tell?.(because);
    inTrouble = true;
  };
  const connected = () => {
    const made = createClient({
      url,
      disableOfflineQueue: true,
      // A line that is merely idle is seen to be dead by these two; on one that is asked, each question counts as life.
      pingInterval: PING_MS,
      socket: {
        connectTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2),
      },
    });
    made.on('error', ({ message }: Error) => trouble(message));
    // Its failures are told to the listener above; this promise would tell them once more.
    made.connect().catch(() => undefined);
    return made;
  };
  let client = connected();
  let lastReply = now();

  const tooSlow = (): void => {
    restsUntil = now() + REST_MS;
    if (now() - lastReply < SILENCE_MS) return;
    client.destroy();
    client = connected();
    lastReply = now();
  };

  /** null: there was trouble, and it was counted. */
  const ask = async <T>(command: () => Promise<T>): Promise<{ reply: T } | null> => {
    try {
      if (now() < restsUntil) throw new Error('it was too slow a moment ago');
      const reply = await within(timeoutMs, command());
      lastReply = now();
      if (inTrouble) tell?.(null);
      inTrouble = false;
      return { reply };
    } catch (error) {
      if (error instanceof TooSlow) tooSlow();
      counts.troubles += 1;
      trouble(error instanceof Error ? error.message : String(error));
      return null;
    }
  };

  return {
    get: async (key) => {
      const got = await ask(() => client.get(PREFIX + key));
      if (got) counts[got.reply === null ? 'misses' : 'hits'] += 1;
      return got?.reply ?? null;
    },
    set: async (key, value) => {
      await ask(() => client.set(PREFIX + key, value, { expiration: { type: 'PX', value: ANSWERS_LIVE_MS } }));
    },
    counts: () => ({ ...counts }),
    // Nothing that is under way is worth waiting for.
    close: async () => client.destroy(),
  };
};

class TooSlow extends Error {
  constructor(ms: number) {
    super(`it gave no answer within ${ms} ms`);
  }
}

const within = <T>(ms: number, reply: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    // Where this process itself was busy, the answer may lie in the socket already: it is read before `setImmediate`.
    const timer = setTimeout(() => setImmediate(() => reject(new TooSlow(ms))), ms);
    reply.then(resolve, reject).finally(() => clearTimeout(timer));
  });
