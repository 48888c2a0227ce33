import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';

/** How long an answer may be given again, though what it came from has not changed. */
export const ANSWERS_LIVE_MS = 300_000;

export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
  /** Questions and answers that the cache could not take: it was down, or too slow. A question among them is no miss. */
  readonly troubles: number;
}

/**
 * Answers that were given a short while ago, by a key that holds all they depend on.
 *
 * 1. What comes back for a key was set for this very key, less than ANSWERS_LIVE_MS ago.
 * 2. Nothing here fails or holds up a request: a cache in trouble has no answer, takes none, and counts that.
 * 3. Anything may be forgotten at any time.
 */
export interface AnswerCache {
  /** null: compute it. */
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  /** Since it was opened. */
  counts(): CacheCounts;
  close(): Promise<void>;
}

/** Everything that an answer depends on. A new state of the index is a new key, so nothing old needs to be looked for. */
export interface AnswerParts {
  readonly service: string;
  readonly variant: string;
  /** What the index holds: it changes with every change of documents. */
  readonly index: unknown;
  readonly tenant: string;
  readonly query: string;
  /** Filter, number of hits, and whatever else a request says. */
  readonly options: unknown;
}

/** Raised when answers are written in another way: gateways of two versions may share one cache. */
const FORMAT = 1;

/** A digest: what people ask stands in no list of keys. */
export const answerKey = ({ service, variant, index, tenant, query, options }: AnswerParts): string =>
  createHash('sha256')
    .update(canonicalJson([FORMAT, service, variant, index, tenant, query, options]))
    .digest('base64url');
