/**
 * The least similarity that a hit by meaning needs, from judged queries. Similarities of one encoder say nothing about
 * those of another, nor does one corpus about the next; so there is no number to begin with, and often none to find.
 *
 * 1. Of the relevant hits at most the share `loss` is expected to be lost, also on queries that were not judged: of R
 *    relevant hits the threshold stands at the n-th lowest with n ≤ loss × (R + 1) (the quantile of split conformal
 *    prediction, Vovk 2005). With too few of them there is none.
 * 2. NDCG@10 over the judged queries falls by no more than the same share.
 * 3. A threshold that would take nothing away is none.
 */
import { mean } from './intervals.ts';
import { type Judgements, ndcg } from './rank-metrics.ts';

export interface JudgedHits {
  /** As they are answered, best first. No similarity: the threshold does not touch it, words found it too. */
  readonly hits: ReadonlyArray<{ readonly document: string; readonly similarity: number | null }>;
  readonly judgements: Judgements;
}

export interface Calibration {
  readonly threshold: number;
  /** Hits with a similarity that are relevant, and those of them that fall below. */
  readonly relevant: { readonly all: number; readonly lost: number };
  /** The same of all the others. */
  readonly irrelevant: { readonly all: number; readonly lost: number };
  /** Queries that had hits and would have none. */
  readonly emptied: number;
  readonly ndcg: { readonly before: number; readonly after: number };
}

export type Calibrated = Calibration | { readonly threshold: null; readonly because: string };

export const ACCEPTED_LOSS = 0.01;
/** Rounded down to so many parts, so that another machine's last digit loses nothing. */
const PARTS = 1e4;

export function calibrate(queries: readonly JudgedHits[], loss = ACCEPTED_LOSS): Calibrated {
  if (!(loss > 0 && loss < 1)) throw new RangeError(`loss: expected a share between 0 and 1, found ${loss}`);
  const judged = queries.filter(({ judgements }) => Object.values(judgements).some((grade) => grade > 0));
  const relevant = judged.flatMap((query) => similaritiesOf(query, true)).sort((a, b) => a - b);
  // Without the small change 0.01 of 100 could be a little less than 1.
  const most = Math.floor(loss * (relevant.length + 1) + 1e-9);
  if (most < 1) {
    const least = Math.ceil(1 / loss - 1e-9) - 1;
    return { threshold: null, because: `It takes ${least} relevant hits to tell; there are ${relevant.length}.` };
  }
  let because = 'No hit that is not relevant is less alike than the relevant ones.';
  for (let lost = most - 1; lost >= 0; lost--) {
    const threshold = Math.floor((relevant[lost] ?? 0) * PARTS) / PARTS;
    const found = effectOf(judged, threshold);
    if (found.irrelevant.lost === 0) break;
    if (found.ndcg.after >= found.ndcg.before * (1 - loss)) return found;
    because = 'Each one that takes something away would lose more of NDCG@10 than is accepted.';
  }
  return { threshold: null, because };
}

/** What a threshold does to judged queries. */
export function effectOf(queries: readonly JudgedHits[], threshold: number): Calibration {
  const count = (similarities: readonly number[]): { all: number; lost: number } => ({
    all: similarities.length,
    lost: similarities.filter((similarity) => similarity < threshold).length,
  });
  const kept = queries.map(({ hits, judgements }) => ({
    hits: hits.filter(({ similarity }) => similarity === null || similarity >= threshold),
    judgements,
  }));
  const ndcgOf = ({ hits, judgements }: JudgedHits): number =>
    ndcg(
      hits.map(({ document }) => document),
      judgements,
    );
  return {
    threshold,
    relevant: count(queries.flatMap((query) => similaritiesOf(query, true))),
    irrelevant: count(queries.flatMap((query) => similaritiesOf(query, false))),
    emptied: queries.filter(({ hits }, at) => hits.length > 0 && kept[at]?.hits.length === 0).length,
    ndcg: { before: mean(queries.map(ndcgOf)), after: mean(kept.map(ndcgOf)) },
  };
}

function similaritiesOf({ hits, judgements }: JudgedHits, isRelevant: boolean): number[] {
  return hits.flatMap(({ document, similarity }) => {
    const grade = Object.hasOwn(judgements, document) ? (judgements[document] ?? 0) : 0;
    return similarity !== null && grade > 0 === isRelevant ? [similarity] : [];
  });
}
