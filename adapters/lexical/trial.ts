import { z } from 'zod';
import type { Trial } from '../../domain/settings-search.ts';

/** A trial as heartbeats and evidence carry it; checked when it comes back. */
export const trial: z.ZodType<Trial> = z.object({
  point: z.object({
    title: z.number(),
    body: z.number(),
    stemming: z.boolean(),
    splitIdentifiers: z.boolean(),
    stopShare: z.number(),
    expansion: z.object({ documents: z.number(), words: z.number() }),
    sets: z.array(z.number()),
  }),
  score: z.number(),
  kept: z.boolean(),
});
