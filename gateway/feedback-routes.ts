import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FeedbackStore, ToldFeedback } from '../adapters/feedback/port.ts';
import type { Caller } from '../contracts/access.ts';
import { FEEDBACK_REFUSALS, type FeedbackEvent, type FeedbackOutcome } from '../contracts/feedback.ts';
import { errorAnswer } from './error-answer.ts';
import { feedbackAnswer, feedbackQuestion } from './feedback-events.ts';

export interface FeedbackDeps {
  readonly feedback: Pick<FeedbackStore, 'add'>;
  readonly services: readonly string[];
  readonly caller: (request: FastifyRequest) => Caller;
  /** Whether the caller may judge documents at all; absent: whoever may tell anything. */
  readonly mayJudge?: (request: FastifyRequest) => boolean | Promise<boolean>;
  /** Writes what was served and waits to be logged: what is told may be about an answer of this very moment. */
  readonly settle: () => Promise<void>;
  /** What may be kept of who tells. */
  readonly subjectHash?: ((subject: string) => string) | undefined;
  readonly now: () => number;
}

type About = Omit<ToldFeedback, 'events'>;

/** A hundred impressions of ten documents each. */
const BODY_LIMIT = 256 * 1_024;

export const feedbackRoutes =
  ({ feedback, services, caller, mayJudge, settle, subjectHash, now }: FeedbackDeps): FastifyPluginAsyncZod =>
  async (app) => {
    const told = async (request: FastifyRequest, judges: boolean): Promise<About> => {
      const { tenant, key } = caller(request);
      const about = { at: now(), tenant, by: key, mayJudge: judges && (mayJudge ? await mayJudge(request) : true) };
      const header = request.headers['x-pawl-subject'];
      // What is told about an answer is found by who asked for it.
      if (!judges || !subjectHash || typeof header !== 'string' || header === '') return about;
      return { ...about, subject: subjectHash(header) };
    };

    /** An answer is known as soon as it is on disk, so an event about an unknown one is asked about once more. */
    const outcomesOf = async (about: About, events: readonly FeedbackEvent[]): Promise<readonly FeedbackOutcome[]> => {
      const outcomes = await feedback.add({ ...about, events });
      const unknown = events.filter((_, at) => isUnknown(outcomes[at]));
      if (unknown.length === 0) return outcomes;
      await settle();
      const again = [...(await feedback.add({ ...about, events: unknown }))];
      return outcomes.map((outcome) => (isUnknown(outcome) ? (again.shift() ?? outcome) : outcome));
    };

    app.post(
      '/v1/feedback',
      {
        bodyLimit: BODY_LIMIT,
        config: { access: 'feedback' },
        schema: {
          summary: 'Takes what users saw, took and thought of the answers that they got.',
          description:
            'One event, or up to 100 under `events`. What is accepted is on disk. Sending an event again changes nothing. The header x-pawl-subject says who judges, so that their judgements can be erased (pawl erase).',
          body: feedbackQuestion,
          response: { 200: feedbackAnswer, default: errorAnswer },
        },
      },
      async (request) => {
        const { body } = request;
        const events = 'events' in body ? body.events : [body];
        const named = events.map((event) => ofOneService(event as FeedbackEvent, services));
        const judges = named.some(({ kind }) => kind === 'judgement');
        const outcomes = await outcomesOf(await told(request, judges), named);
        const count = (wanted: FeedbackOutcome['outcome']) =>
          outcomes.filter(({ outcome }) => outcome === wanted).length;
        return {
          accepted: count('accepted'),
          repeated: count('repeated'),
          refused: count('refused'),
          outcomes: outcomes.map((one) =>
            one.outcome === 'refused' ? { ...one, hint: FEEDBACK_REFUSALS[one.reason] } : one,
          ),
        };
      },
    );
  };

const isUnknown = (outcome: FeedbackOutcome | undefined): boolean =>
  outcome?.outcome === 'refused' && outcome.reason === 'unknown answer';

/** A judgement names the service that it is about, or none where it cannot be known. */
const ofOneService = (event: FeedbackEvent, services: readonly string[]): FeedbackEvent => {
  if (event.kind !== 'judgement') return event;
  const { service: given, ...rest } = event;
  const service = given ?? (services.length === 1 ? services[0] : undefined);
  return service !== undefined && services.includes(service) ? { ...rest, service } : rest;
};
