/** What clients tell of their answers, as schemas: they check what comes in and make up the OpenAPI document. */
import { z } from 'zod';
import { FEEDBACK_REFUSALS, type FeedbackRefusal, GRADES, RATING_SCALES } from '../contracts/feedback.ts';

export const MOST_EVENTS = 100;
const MOST_SHOWN = 100;
const DAY_MS = 86_400_000;

const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), 'leave control characters out');
const answer = text(64).describe('The id that came with the answer.');
const shown = { document: text(512), position: z.int().min(1).max(1_000).describe('Place on the page, from 1 on.') };
const key = z
  .string()
  .regex(/^[\w.:-]{1,100}$/, 'letters, digits and . : _ - only, 100 at most')
  .optional()
  .describe('Names this one event, so that it can be sent again. Without it, an event that says the same is the same.');

const impression = z
  .strictObject({
    kind: z.literal('impression'),
    key,
    answer,
    shown: z.array(z.strictObject(shown)).min(1).max(MOST_SHOWN),
  })
  .refine(
    ({ shown: all }) => [all.map((one) => one.document), all.map((one) => one.position)].every(allDiffer),
    'each document and each position once',
  )
  .describe('What of the answer was on the page.');
const click = z
  .strictObject({
    ...{ kind: z.literal('click'), key, answer, ...shown },
    dwellMs: z
      .number()
      .min(0)
      .max(DAY_MS)
      .optional()
      .describe('How long it was looked at. May be sent later, as another click.'),
  })
  .describe('A document that somebody took.');
const rating = z
  .strictObject({
    ...{ kind: z.literal('rating'), key, answer },
    scale: z.enum(RATING_SCALES).describe('thumbs: from -1 to 1. stars: from 1 to 5.'),
    value: z.number(),
  })
  .refine(({ scale, value }) => (scale === 'thumbs' ? value >= -1 && value <= 1 : value >= 1 && value <= 5), {
    path: ['value'],
    error: 'from -1 to 1 for thumbs, from 1 to 5 for stars',
  })
  .describe('The answer as a whole. Whoever changes their mind gives each rating its own key.');
const judgement = z
  .strictObject({
    ...{ kind: z.literal('judgement'), key },
    service: z.string().max(40).optional().describe('Not needed where there is one only.'),
    query: text(2_000),
    document: shown.document,
    grade: z.int().min(GRADES.least).max(GRADES.most).describe('0 is not relevant.'),
  })
  .describe('What somebody says of a document for a query.');

const event = z.discriminatedUnion('kind', [impression, click, rating, judgement]);

export const feedbackQuestion = z.union([event, z.strictObject({ events: z.array(event).min(1).max(MOST_EVENTS) })]);

const refusals = Object.keys(FEEDBACK_REFUSALS) as [FeedbackRefusal, ...FeedbackRefusal[]];
export const feedbackAnswer = z.object({
  accepted: z.int(),
  repeated: z.int(),
  refused: z.int(),
  outcomes: z
    .array(
      z.discriminatedUnion('outcome', [
        z.object({ outcome: z.enum(['accepted', 'repeated']), key: z.string() }),
        z.object({ outcome: z.literal('refused'), key: z.string(), reason: z.enum(refusals), hint: z.string() }),
      ]),
    )
    .describe('One for each event, in their order. What is accepted is on disk.'),
});

function allDiffer(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}
