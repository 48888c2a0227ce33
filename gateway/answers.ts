/** What the gateway answers, as schemas: they check what leaves and make up the OpenAPI document. */
import { z } from 'zod';
import { LATCHES } from '../contracts/traffic.ts';
import { INDEX_STATES } from './search-engine.ts';

const arms = z.array(z.object({ variant: z.string(), share: z.number() }));

export const traffic = z
  .object({
    service: z.string(),
    latch: z.enum(LATCHES),
    because: z.string(),
    epoch: z.int(),
    promotion: z.int(),
    champion: z.string().nullable(),
    gold: z.string().nullable(),
    arms,
  })
  .describe('What serves, and who may change it.');

export const status = z.object({
  services: z.array(
    traffic.extend({
      loaded: z.array(z.string()).describe('Variants that are ready to answer.'),
      index: z.object({
        state: z.enum(INDEX_STATES),
        because: z.string().nullable(),
        corpus: z.string().nullable().describe('Digest of the corpus that answers come from.'),
        documents: z.int(),
      }),
    }),
  ),
  queryLog: z.object({ dropped: z.int().describe('Served queries that the log never got.') }),
});

export const searchAnswer = z.object({
  service: z.string(),
  variant: z.string().describe('Which variant answered.'),
  latencyMs: z.number(),
  hits: z.array(z.object({ id: z.string(), score: z.number(), title: z.string() })).describe('Best first.'),
});

/** Tab and line breaks are white space; other control characters have no business in a question. */
const hasControls = (text: string): boolean =>
  [...text].some((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (code < 0x20 && !/[\t\n\r]/.test(character)) || (code >= 0x7f && code < 0xa0);
  });

export const searchQuestion = z.object({
  q: z
    .string()
    .trim()
    .min(1, 'ask for something')
    .max(2_000, 'ask in at most 2,000 characters')
    .refine((text) => !hasControls(text), 'leave control characters out')
    .refine((text) => text.isWellFormed(), 'ask in well-formed Unicode')
    .describe('The question.'),
  k: z.coerce.number().int().min(1).max(100).default(10).describe('How many hits.'),
  service: z.string().max(40).optional().describe('Which service; not needed where there is one only.'),
});

export const whichService = z.object({ service: z.string().max(40).optional() });
