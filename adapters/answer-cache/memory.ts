/** Answers in this process: those that were not asked for the longest go first. */
import { ANSWERS_LIVE_MS, type AnswerCache } from './port.ts';

export interface MemoryLimits {
  readonly entries?: number;
  readonly bytes?: number;
}

interface Entry {
  readonly value: string;
  readonly until: number;
}

const MOST_ENTRIES = 10_000;
const MOST_BYTES = 64 * 2 ** 20;
/** Of the map, and of what an entry is besides its texts. */
const ENTRY_BYTES = 200;

/** `now` must not go back: a clock that people set is none. */
export const memoryAnswers = (now: () => number, limits: MemoryLimits = {}): AnswerCache => {
  const { entries: mostEntries = MOST_ENTRIES, bytes: mostBytes = MOST_BYTES } = limits;
  /** In the order in which they were last asked for or set: a map keeps that of its insertions. */
  const entries = new Map<string, Entry>();
  let bytes = 0;
  let hits = 0;
  let misses = 0;

  const drop = (key: string): void => {
    const entry = entries.get(key);
    if (entry && entries.delete(key)) bytes -= sizeOf(key, entry);
  };
  const keep = (key: string, entry: Entry): void => {
    entries.set(key, entry);
    bytes += sizeOf(key, entry);
  };

  return {
    get: async (key) => {
      const entry = entries.get(key);
      drop(key);
      if (!entry || entry.until <= now()) {
        misses += 1;
        return null;
      }
      keep(key, entry);
      hits += 1;
      return entry.value;
    },
    set: async (key, value) => {
      drop(key);
      keep(key, { value, until: now() + ANSWERS_LIVE_MS });
      for (const oldest of entries.keys()) {
        if (entries.size <= mostEntries && bytes <= mostBytes) break;
        drop(oldest);
      }
    },
    counts: () => ({ hits, misses, troubles: 0 }),
    close: async () => {
      entries.clear();
      bytes = 0;
    },
  };
};

/** At the most: a text takes one or two bytes a sign. */
const sizeOf = (key: string, { value }: Entry): number => 2 * (key.length + value.length) + ENTRY_BYTES;
