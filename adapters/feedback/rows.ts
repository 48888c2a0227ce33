/** What the rows of the feedback's tables hold; whoever can write the file can put anything there. */
import { z } from 'zod';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import { type AnswerEvent, type GivenJudgement, RATING_SCALES, type ReceivedAnswer } from '../../contracts/feedback.ts';
import { type KnownAnswer, received } from '../../domain/feedback.ts';

const json = z.string().transform((text): unknown => JSON.parse(text));
const ids = json.pipe(z.array(z.string()));
const tenant = z
  .string()
  .nullable()
  .transform((name) => name ?? DEFAULT_TENANT);

const answer = z.object({ at: z.number(), tenant, ranked: ids });
export const answerOf = (row: unknown): KnownAnswer => answer.parse(row);

const shown = z.object({ document: z.string(), position: z.number() });
const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('impression'), answer: z.string(), shown: z.array(shown) }),
  shown.extend({ kind: z.literal('click'), answer: z.string(), dwellMs: z.number().optional() }),
  z.object({ kind: z.literal('rating'), answer: z.string(), scale: z.enum(RATING_SCALES), value: z.number() }),
]);
const told = z.object({
  answer: z.string(),
  at: z.number(),
  tenant,
  service: z.string(),
  variant: z.string(),
  experiment: z.string().nullable(),
  query: z.string(),
  ranked: ids,
  teams: json.pipe(z.record(z.string(), z.array(z.string()))).nullable(),
  body: json.pipe(event),
});

/** Rows of one answer stand together. */
export const receivedOf = (rows: readonly unknown[]): ReceivedAnswer[] => {
  const answers = new Map<string, Omit<z.infer<typeof told>, 'body'> & { readonly events: AnswerEvent[] }>();
  for (const row of rows) {
    const { body, ...about } = told.parse(row);
    const known = answers.get(about.answer);
    if (known) known.events.push(body as AnswerEvent);
    else answers.set(about.answer, { ...about, events: [body as AnswerEvent] });
  }
  return [...answers.values()].map(({ events, ...about }) => ({ ...about, ...received(events) }));
};

const judgement = z
  .object({
    at: z.number(),
    tenant: z.string(),
    query: z.string(),
    document: z.string(),
    grade: z.number(),
    given_by: z.string().nullable(),
  })
  .transform(({ given_by, ...rest }): GivenJudgement => ({ ...rest, by: given_by }));
export const judgementOf = (row: unknown): GivenJudgement => judgement.parse(row);
