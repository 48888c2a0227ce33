/** What the log is told of an answer, and of variants that were asked for it too. */
import { randomUUID } from 'node:crypto';
import type { ServedQuery } from '../adapters/query-log/port.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import { laneOf } from './assignment.ts';
import { type Attempt, failureOf } from './attempt.ts';
import type { Outcome } from './interleaving.ts';

export const LOGGED_HITS = 10;
const MS_PER_HOUR = 3_600_000;

/** What all that is told of one request has in common. */
export interface About extends Pick<ServedQuery, 'service' | 'query' | 'tenant' | 'subject'> {
  readonly answer: string;
  readonly experiment: string | null;
  readonly cpuHour: number;
}

type Told = Attempt & Pick<Outcome, 'teams'> & { readonly phase?: number | null };

/** What was asked for nobody by name enrols nobody, and neither does a list of two variants. */
export const answerRow = (about: About, { phase = null, ...told }: Told): ServedQuery => {
  const { experiment, cpuHour, ...rest } = about;
  const { variant, at, latencyMs, found, error, teams } = told;
  const enrols = phase !== null && rest.subject !== undefined && !teams;
  const ranked = (found?.hits ?? []).slice(0, LOGGED_HITS).map(({ id }) => id);
  const logged = Object.entries(teams ?? {}).map(([name, ids]) => [name, ids.filter((id) => ranked.includes(id))]);
  return {
    ...{ ...rest, at, variant, ranked, latencyMs },
    error: found ? null : failureOf(error),
    cost: ((found?.cpuMs ?? 0) / MS_PER_HOUR) * cpuHour,
    ...(experiment === null ? {} : { experiment }),
    ...(teams ? { teams: Object.fromEntries(logged) } : {}),
    ...(enrols ? { phase } : {}),
  };
};

/** It gets an id of its own, which nobody is told: what users say of the answer is not about it. */
export const partRow = (about: About, part: Attempt): ServedQuery => ({
  ...answerRow(about, part),
  answer: randomUUID(),
  of: about.answer,
});

/** `row`: the traffic by which it was mirrored. */
export const mirroredRow = (about: About, tried: Attempt, row: ServiceState): ServedQuery => ({
  ...partRow({ ...about, experiment: laneOf(row) }, tried),
  mirrored: true,
});
