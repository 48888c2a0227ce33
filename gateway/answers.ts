/** What the gateway answers, as schemas: they check what leaves and make up the OpenAPI document. */
import { z } from 'zod';
import { LATCHES } from '../contracts/traffic.ts';
import { INDEX_STATES } from './search-engine.ts';

const arms = z.array(
  z.object({
    variant: z.string(),
    share: z.number(),
    mirror: z
      .number()
      .exactOptional()
      .describe('Share of the requests that it answers too, without anybody seeing it.'),
    interleave: z.literal(true).exactOptional().describe('It answers together with the other arm that says so.'),
  }),
);

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

const standing = z.object({ rank: z.int(), score: z.number() }).nullable();
const hit = z.object({
  id: z.string(),
  score: z.number(),
  title: z.string(),
  passages: z
    .array(z.object({ start: z.int(), end: z.int(), headings: z.array(z.string()), text: z.string() }))
    .exactOptional()
    .describe('The parts that were found, the best first; offsets are in UTF-16 units of the text.'),
  why: z
    .object({ lexical: standing, dense: standing, fused: standing.unwrap(), reranked: standing })
    .exactOptional()
    .describe('Rank and score in each leg, after fusion and after reranking; null where it took no part.'),
});

export const searchAnswer = z.object({
  service: z.string(),
  answer: z.string().describe('Names this answer for /v1/feedback.'),
  variant: z.string().describe('Which variant answered.'),
  experiment: z.string().nullable().describe('The trial that this answer is part of.'),
  interleaved: z.literal(true).exactOptional().describe('The hits are drafted from two variants in turns.'),
  cached: z.boolean(),
  latencyMs: z.number(),
  hits: z.array(hit).describe('Best first.'),
});

/** Tab and line breaks are white space; other control characters have no business in a question. */
const hasControls = (text: string): boolean =>
  [...text].some((character) => {
    const code = character.codePointAt(0) ?? 0;
    return (code < 0x20 && !/[\t\n\r]/.test(character)) || (code >= 0x7f && code < 0xa0);
  });

const question = z
  .string()
  .trim()
  .min(1, 'ask for something')
  .max(2_000, 'ask in at most 2,000 characters')
  .refine((text) => !hasControls(text), 'leave control characters out')
  .refine((text) => text.isWellFormed(), 'ask in well-formed Unicode')
  .describe('The question.');
const service = z.string().max(40).exactOptional().describe('Which service; not needed where there is one only.');
const count = z.int().min(1).max(100);

export const searchQuestion = z.strictObject({
  q: question,
  k: z.coerce.number().pipe(count).default(10).describe('How many hits.'),
  service,
  explain: z.stringbool().default(false).describe('Whether each hit says why it is where it is.'),
});

const MOST_CONDITIONS = 20;
const condition = z.union([
  z.string().max(1_000),
  z.number(),
  z.boolean(),
  z.strictObject({
    in: z
      .array(z.union([z.string().max(1_000), z.number()]))
      .min(1)
      .max(100),
  }),
  z
    .strictObject({ from: z.number().exactOptional(), to: z.number().exactOptional() })
    .refine(({ from, to }) => from !== undefined || to !== undefined, 'a range has an end at least'),
]);
const filter = z
  .record(z.string().min(1).max(100), condition)
  .refine((conditions) => Object.keys(conditions).length <= MOST_CONDITIONS, `at most ${MOST_CONDITIONS} conditions`)
  .describe('Name of a metadata field → its value, { "in": [...] }, or { "from": 1, "to": 2 }. All must hold.');

export const searchBody = z.strictObject({
  query: question,
  k: count.default(10).describe('How many hits.'),
  service,
  filter: filter.default({}),
  explain: z.boolean().default(false),
});

export const whichService = z.strictObject({ service });
