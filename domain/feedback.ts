/** Which events count, and what several events about one answer say together. */
import {
  type AnswerEvent,
  FEEDBACK_LATE_MS,
  type FeedbackRefusal,
  type Rating,
  type ReceivedAnswer,
  type TakenDocument,
} from '../contracts/feedback.ts';

export interface KnownAnswer {
  readonly at: number;
  readonly tenant: string;
  /** The best of it, as the log keeps them. */
  readonly ranked: readonly string[];
}

/** The log keeps so many documents of an answer; what stood below cannot be held against it. */
const KEPT = 10;

const documentsOf = (event: AnswerEvent): ReadonlyArray<{ document: string; position: number }> => {
  if (event.kind === 'impression') return event.shown;
  return event.kind === 'click' ? [event] : [];
};

/** A page may show them in another order, so the place is not held against the ranking. */
const wasServed = ({ ranked }: KnownAnswer, { document, position }: { document: string; position: number }): boolean =>
  ranked.includes(document) || (ranked.length >= KEPT && position > KEPT);

/** null: it counts. Whose answer it is comes first, so that nobody learns of an answer that is not theirs. */
export const whyNotCounted = (
  event: AnswerEvent,
  answer: KnownAnswer | null,
  { tenant, now }: { readonly tenant: string; readonly now: number },
): FeedbackRefusal | null => {
  if (answer === null || answer.tenant !== tenant) return 'unknown answer';
  if (now - answer.at > FEEDBACK_LATE_MS) return 'too late';
  return documentsOf(event).every((shown) => wasServed(answer, shown)) ? null : 'not served';
};

/** From -1 to 1, whatever it was given in. */
export const ratingOf = ({ scale, value }: Pick<Rating, 'scale' | 'value'>): number =>
  scale === 'thumbs' ? value : (value - 3) / 2;

/** Of several impressions the longest counts: a page tells again when it shows more. Events come in their order. */
export const received = (events: readonly AnswerEvent[]): Pick<ReceivedAnswer, 'shown' | 'clicks' | 'rating'> => {
  let shown: ReceivedAnswer['shown'] = null;
  let rating: number | null = null;
  const clicks = new Map<string, TakenDocument>();
  for (const event of events) {
    if (event.kind === 'impression') {
      if (event.shown.length >= (shown?.length ?? 0)) shown = event.shown.toSorted((a, b) => a.position - b.position);
    } else if (event.kind === 'rating') {
      rating = ratingOf(event);
    } else {
      const { document, position, dwellMs = null } = event;
      const before = clicks.get(document);
      const longest = Math.max(before?.dwellMs ?? -1, dwellMs ?? -1);
      clicks.set(document, { document, position: before?.position ?? position, dwellMs: longest < 0 ? null : longest });
    }
  }
  return { shown, clicks: [...clicks.values()], rating };
};
