/**
 * Answers that were found already.
 *
 * 1. A key holds all that decides an answer: service, variant, the state of what it searches, tenant, question. A change of
 *    documents changes the state, so an old answer is never found again.
 * 2. The same question asked twice at once is searched for once.
 * 3. A cache that is slow or gone costs a request nothing but the search itself.
 */
import { z } from 'zod';
import { flights } from '../adapters/answer-cache/flights.ts';
import { type AnswerCache, answerKey } from '../adapters/answer-cache/port.ts';
import type { Found, Hit, LoadedVariant, SearchQuestion } from './search-engine.ts';

export type CachedSearch = (
  service: string,
  id: string,
  variant: LoadedVariant,
  question: SearchQuestion,
) => Promise<Found & { readonly cached: boolean }>;

const standing = z.object({ rank: z.number(), score: z.number() }).nullable();
const hits: z.ZodType<readonly Hit[]> = z.array(
  z.object({
    id: z.string(),
    score: z.number(),
    title: z.string(),
    passages: z
      .array(z.object({ start: z.number(), end: z.number(), headings: z.array(z.string()), text: z.string() }))
      .exactOptional(),
    why: z.object({ lexical: standing, dense: standing, fused: standing.unwrap(), reranked: standing }).exactOptional(),
  }),
);

export const cachedSearch = (cache: AnswerCache): CachedSearch => {
  const once = flights<Found>();
  return async (service, variant, loaded, question) => {
    const { query, k, tenant, filter } = question;
    const key = answerKey({ service, variant, index: loaded.state(), tenant, query, options: { k, filter } });
    const known = await cache.get(key);
    const read = known === null ? null : readHits(known);
    if (read) return { hits: read, cpuMs: 0, cached: true };
    const found = await once(key, () => loaded.search(question));
    // Nobody waits for it; a cache that does not take it counts that itself.
    void cache.set(key, JSON.stringify(found.hits));
    return { ...found, cached: false };
  };
};

/** null: another version wrote it, or something else did. */
const readHits = (text: string): readonly Hit[] | null => {
  try {
    return hits.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
