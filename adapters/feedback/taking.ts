/** What becomes of each event that is told: the same in every store. */
import { createHash } from 'node:crypto';
import type { FeedbackEvent, FeedbackOutcome, FeedbackRefusal, Judgement } from '../../contracts/feedback.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type KnownAnswer, whyNotCounted } from '../../domain/feedback.ts';
import type { ToldFeedback } from './port.ts';

/** Types and no interfaces: SQLite takes them as values by their names. */
export type EventColumns = {
  readonly at: number;
  readonly tenant: string;
  readonly key: string;
  readonly kind: string;
  readonly answer: string;
  readonly body: string;
};
export type JudgementColumns = {
  readonly at: number;
  readonly tenant: string;
  readonly key: string;
  readonly service: string;
  readonly query: string;
  readonly document: string;
  readonly grade: number;
  readonly given_by: string | null;
  readonly subject: string | null;
  readonly body: string;
};

/** A table of what was told, in the middle of a change. */
export interface Told<Row> {
  /** What was told under this key before. */
  said(tenant: string, key: string): unknown;
  insert(row: Row): void;
}

export interface Held {
  readonly events: Told<EventColumns>;
  readonly judgements: Told<JudgementColumns>;
  known(answer: string): KnownAnswer | null;
}

/** What somebody told, with the key of each event and all that it says. */
export interface Telling extends ToldFeedback {
  readonly bodies: ReadonlyArray<{ readonly key: string; readonly body: string }>;
}

export const tellingOf = (told: ToldFeedback): Telling => ({
  ...told,
  bodies: told.events.map((event) => bodyOf(told, event)),
});

/** Two givers may judge the same; an answer was given to one only. */
const bodyOf = ({ by, subject }: ToldFeedback, { key, ...event }: FeedbackEvent) => {
  const body = canonicalJson(event);
  const said = event.kind === 'judgement' ? canonicalJson({ by, subject, event }) : body;
  return { body, key: key ?? `said:${createHash('sha256').update(said).digest('hex').slice(0, 32)}` };
};

export const take = (held: Held, telling: Telling): readonly FeedbackOutcome[] => {
  const { at, tenant, by, subject = null, mayJudge, events, bodies } = telling;
  return events.map((event, n): FeedbackOutcome => {
    const { key = '', body = '' } = bodies[n] ?? {};
    const before = (event.kind === 'judgement' ? held.judgements : held.events).said(tenant, key);
    if (before !== undefined) {
      return before === body ? { outcome: 'repeated', key } : { outcome: 'refused', key, reason: 'key was used' };
    }
    const reason =
      event.kind === 'judgement'
        ? whyNotJudged(event, mayJudge)
        : whyNotCounted(event, held.known(event.answer), { tenant, now: at });
    if (reason !== null) return { outcome: 'refused', key, reason };
    if (event.kind === 'judgement') {
      const { service = '', query, document, grade } = event;
      held.judgements.insert({ at, tenant, key, service, query, document, grade, given_by: by, subject, body });
    } else held.events.insert({ at, tenant, key, kind: event.kind, answer: event.answer, body });
    return { outcome: 'accepted', key };
  });
};

const whyNotJudged = ({ service }: Judgement, may: boolean): FeedbackRefusal | null => {
  if (!may) return 'may not judge';
  return service === undefined ? 'unknown service' : null;
};
