/** What users tell of the answers that they got: what they saw, took, and thought of it. */

export interface ShownDocument {
  readonly document: string;
  /** Place on the page, from 1 on. */
  readonly position: number;
}

/** What of an answer was on the page. Without it nobody knows what was looked past. */
export interface Impression {
  readonly kind: 'impression';
  readonly answer: string;
  readonly shown: readonly ShownDocument[];
}

export interface Click extends ShownDocument {
  readonly kind: 'click';
  readonly answer: string;
  /** How long it was looked at, where that is known already. */
  readonly dwellMs?: number;
}

export const RATING_SCALES = ['thumbs', 'stars'] as const;
/** The answer as a whole. thumbs: from -1 to 1. stars: from 1 to 5. */
export interface Rating {
  readonly kind: 'rating';
  readonly answer: string;
  readonly scale: (typeof RATING_SCALES)[number];
  readonly value: number;
}

export const GRADES = { least: 0, most: 4 } as const;
/** What somebody says of a document for a query, whether it was served to them or not. */
export interface Judgement {
  readonly kind: 'judgement';
  /** Not needed where the gateway serves one only. */
  readonly service?: string;
  readonly query: string;
  readonly document: string;
  /** 0 is not relevant. */
  readonly grade: number;
}

export type AnswerEvent = Impression | Click | Rating;

export type FeedbackEvent = (AnswerEvent | Judgement) & {
  /** Names this one event: told again under it, nothing changes. Absent: made of all that the event says. */
  readonly key?: string;
};

/** Of an answer that was served longer ago than this, nothing is taken any more. */
export const FEEDBACK_LATE_MS = 86_400_000;

/** Why an event is refused, in words for whoever sent it. */
export const FEEDBACK_REFUSALS = {
  'unknown answer': 'No answer of this id was served to you, or it is forgotten by now.',
  'too late': 'The answer is older than 24 hours.',
  'not served': 'The answer holds no such document.',
  'unknown service': 'Say in `service` which one is judged: this gateway serves no such one, or several.',
  'may not judge': 'Your key may tell of its answers, and may not judge documents.',
  'key was used': 'Another event was told under this key before: give each its own.',
} as const;
export type FeedbackRefusal = keyof typeof FEEDBACK_REFUSALS;

export type FeedbackOutcome =
  | { readonly outcome: 'accepted' | 'repeated'; readonly key: string }
  | { readonly outcome: 'refused'; readonly key: string; readonly reason: FeedbackRefusal };

/** One answer that was served, and all that is known of how it was received. */
export interface ReceivedAnswer {
  readonly answer: string;
  readonly at: number;
  readonly tenant: string;
  readonly service: string;
  readonly variant: string;
  readonly experiment: string | null;
  readonly query: string;
  readonly ranked: readonly string[];
  /** Variant → documents that it brought in, where two were interleaved. */
  readonly teams: Readonly<Record<string, readonly string[]>> | null;
  /** By place; null where nobody said what was on the page. */
  readonly shown: readonly ShownDocument[] | null;
  /** Each document once, with the longest look at it. */
  readonly clicks: readonly TakenDocument[];
  /** From -1 to 1; the latest. */
  readonly rating: number | null;
}
export interface TakenDocument extends ShownDocument {
  readonly dwellMs: number | null;
}

/** A judgement as it was given; of several by one giver the latest counts. */
export interface GivenJudgement {
  readonly at: number;
  readonly tenant: string;
  readonly query: string;
  readonly document: string;
  readonly grade: number;
  /** Id of the key that it came under; null without one. */
  readonly by: string | null;
}
