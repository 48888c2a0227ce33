/**
 * How likely places are looked at, place by place: documents that were shown for the same query at a known place and at
 * another are taken there so much less often (Agarwal et al., WSDM 2019). Each place is tied by the known one that tells
 * most of it, so the first place leads to all that are known.
 *
 * EM goes on from here. From any other start it would take thousands of steps where documents have only changed places with
 * their neighbours, as they do when two variants are alike.
 */
import { type ClickCounts, keyOf } from './click-counts.ts';

export interface KnownPlace {
  /** From 0 to 1, against the first place. */
  readonly examination: number;
  /** Its relative standard error. */
  readonly error: number;
}

/** A place that is known no better than this is not known. */
export const MOST_ERROR = 0.3;
const LEAST_EXAMINED = 1e-3;

export const tiedPlaces = (counts: ClickCounts): ReadonlyMap<number, KnownPlace> => {
  const known = new Map<number, KnownPlace>([[1, { examination: 1, error: 0 }]]);
  const ties = tiesOf(counts);
  for (;;) {
    const found = ties
      .flatMap((tie) => {
        const from = known.get(tie.from);
        return from && !known.has(tie.to) ? [{ to: tie.to, ...tied(from, tie) }] : [];
      })
      .reduce<(KnownPlace & { to: number }) | null>(
        (best, one) => (best && best.error <= one.error ? best : one),
        null,
      );
    if (found === null || !(found.error <= MOST_ERROR)) return known;
    known.set(found.to, { examination: found.examination, error: found.error });
  }
};

const tied = ({ examination, error }: KnownPlace, { there, here }: Tie): KnownPlace => ({
  examination: Math.min(1, Math.max(LEAST_EXAMINED, (examination * here.clicks) / there.clicks)),
  error: Math.sqrt(error ** 2 + there.variance / there.clicks ** 2 + here.variance / here.clicks ** 2),
});

/** Clicks on the same documents, as if each had been shown equally often at both places. */
interface Tie {
  readonly from: number;
  readonly to: number;
  readonly there: { clicks: number; variance: number };
  readonly here: { clicks: number; variance: number };
}

const tiesOf = (counts: ClickCounts): readonly Tie[] => {
  const ties = new Map<string, Tie>();
  for (const cells of Map.groupBy(counts, keyOf).values()) {
    for (const a of cells) {
      for (const b of cells) {
        if (a.position === b.position) continue;
        const key = `${a.position} ${b.position}`;
        const none = { there: { clicks: 0, variance: 0 }, here: { clicks: 0, variance: 0 } };
        const tie = ties.get(key) ?? { from: a.position, to: b.position, ...none };
        const looks = Math.min(a.shown, b.shown);
        for (const [side, cell] of [
          [tie.there, a],
          [tie.here, b],
        ] as const) {
          const weight = looks / cell.shown;
          side.clicks += weight * cell.clicks;
          side.variance += weight ** 2 * cell.clicks;
        }
        ties.set(key, tie);
      }
    }
  }
  return [...ties.values()];
};
