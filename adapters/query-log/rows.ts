/** What the rows of the log hold, as its tables have them; whoever can write these can put anything there. */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { SubjectAnswer } from '../../domain/ab/subject-values.ts';
import type { Exposure, ServedQuery } from './port.ts';

export const COLUMNS =
  'at, service, variant, query, ranked, latency_ms, error, cost, subject, answer, tenant, experiment, teams, of_answer, mirrored, phase';

const json = z.string().transform((text): unknown => JSON.parse(text));
const optional = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);
const row = z
  .object({
    at: z.number(),
    service: z.string(),
    variant: z.string(),
    query: z.string(),
    ranked: json.pipe(z.array(z.string())),
    latency_ms: z.number(),
    error: z.string().nullable(),
    cost: z.number(),
    subject: optional,
    answer: optional,
    tenant: optional,
    experiment: optional,
    teams: json.pipe(z.record(z.string(), z.array(z.string()))).nullable(),
    of_answer: optional,
    mirrored: z.number(),
    phase: z.number().nullable(),
  })
  .transform(
    ({ latency_ms, subject, answer, tenant, experiment, teams, of_answer, mirrored, phase, ...rest }): ServedQuery => ({
      ...rest,
      latencyMs: latency_ms,
      ...(subject !== undefined && { subject }),
      ...(answer !== undefined && { answer }),
      ...(tenant !== undefined && { tenant }),
      ...(experiment !== undefined && { experiment }),
      ...(teams !== null && { teams }),
      ...(of_answer !== undefined && { of: of_answer }),
      ...(mirrored !== 0 && { mirrored: true }),
      ...(phase !== null && { phase }),
    }),
  );
export const servedOf = (found: unknown): ServedQuery => row.parse(found);

/** A type and no interface: SQLite takes it as values by their names. */
export type ServedColumns = {
  readonly at: number;
  readonly service: string;
  readonly variant: string;
  readonly query: string;
  readonly ranked: string;
  readonly latency_ms: number;
  readonly error: string | null;
  readonly cost: number;
  readonly subject: string | null;
  readonly answer: string | null;
  readonly tenant: string | null;
  readonly experiment: string | null;
  readonly teams: string | null;
  readonly of_answer: string | null;
  readonly mirrored: 0 | 1;
  readonly phase: number | null;
};

export const columnsOf = (served: ServedQuery): ServedColumns => {
  const { at, service, variant, query, ranked, latencyMs, error, cost } = served;
  const { subject = null, answer = null, tenant = null, experiment = null, teams, of = null, mirrored } = served;
  if (![at, latencyMs, cost].every(Number.isFinite))
    throw new PawlError('Usage', `A served query has no finite time, latency or cost: ${JSON.stringify(served)}`);
  return {
    ...{ at, service, variant, query, ranked: JSON.stringify(ranked), latency_ms: latencyMs, error, cost },
    ...{ subject, answer, tenant, experiment, teams: teams ? JSON.stringify(teams) : null, of_answer: of },
    ...{ mirrored: mirrored ? 1 : 0, phase: served.phase ?? null },
  };
};

export type ExposureColumns = {
  readonly service: string;
  readonly experiment: string;
  readonly subject: string;
  readonly variant: string;
  readonly at: number;
  readonly phase: number;
  readonly answer: string;
};

/** Whom this answer exposes to its variant, where nobody was before; null: it enrols nobody. */
export const exposureOf = (row: ServedColumns): ExposureColumns | null => {
  const { at, service, variant, subject, answer, experiment, phase, teams, of_answer, mirrored } = row;
  if (subject === null || experiment === null || answer === null || phase === null) return null;
  if (teams !== null || of_answer !== null || mirrored !== 0) return null;
  return { service, experiment, subject, variant, at, phase, answer };
};

const exposure = z.object({ subject: z.string(), variant: z.string(), at: z.number(), phase: z.number() });
const answer = z
  .object({
    ...{ at: z.number(), query: z.string(), latency_ms: z.number(), error: z.string().nullable(), cost: z.number() },
    ...{ tenant: z.string().nullable(), clicked: z.number() },
    ranked: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(z.array(z.string())),
  })
  .transform(
    ({ latency_ms, clicked, ...rest }): SubjectAnswer => ({ ...rest, latencyMs: latency_ms, clicked: clicked !== 0 }),
  );
export const exposedOf = (found: unknown): Exposure => exposure.parse(found);
export const subjectAnswerOf = (found: unknown): SubjectAnswer => answer.parse(found);
