/**
 * Which of two interleaved rankings users prefer, looked at as often as one likes: a mixture likelihood ratio over the answers
 * that one of the two won (Robbins 1970), whose prior is a beta distribution.
 *
 * 1. Always valid: where the two are equal, the chance that p ever gets to alpha or below is at most alpha (Ville), so it
 *    may be stopped at any look. The interval holds the true share at all looks at once just as often.
 * 2. Its state are three counts. An answer that nobody won says nothing: it is counted, and changes nothing.
 * 3. It takes answers for independent. Of a subject who asks the same again and again, one answer is to be counted.
 */
import { logGammaOf } from '../beta.ts';

/** For one of the two: see Preference of domain/interleaving.ts. */
export interface Credits {
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
}

export const noCredits: Credits = { wins: 0, losses: 0, ties: 0 };

/** `winner` is what winnerOf says of an answer. */
export const withCredit = (credits: Credits, variant: string, winner: string | null): Credits => {
  if (winner === null) return { ...credits, ties: credits.ties + 1 };
  return winner === variant ? { ...credits, wins: credits.wins + 1 } : { ...credits, losses: credits.losses + 1 };
};

export interface PreferenceTest {
  /** Share of the answers that were won, won by this one; null where nobody won any. */
  readonly share: number | null;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  readonly verdict: 'preferred' | 'not preferred' | 'undecided';
}

/**
 * Weight of the prior, in answers on each side: for the small preferences that rankings show (a share of about 0.55), it finds
 * them soonest, and costs little with large ones.
 */
const PRIOR = 50;

export const interleavingTest = (credits: Credits, alpha: number): PreferenceTest => {
  const { wins, losses } = credits;
  const won = wins + losses;
  if (won === 0) return { share: null, low: 0, high: 1, p: 1, verdict: 'undecided' };
  const share = wins / won;
  const p = preferenceP(credits);
  const verdict = p > alpha ? 'undecided' : share > 0.5 ? 'preferred' : 'not preferred';
  const limit = -Math.log(alpha);
  const end = (side: 0 | 1): number => farthest(share, side, (at) => logRatio(credits, at) < limit);
  return { share, low: end(0), high: end(1), p, verdict };
};

/** Always valid, against users who prefer neither. */
export const preferenceP = (credits: Credits): number => Math.min(1, Math.exp(-logRatio(credits, 0.5)));

/** How much likelier these credits are under the mixture than with this one share. */
const logRatio = ({ wins, losses }: Credits, share: number): number =>
  logBeta(PRIOR + wins, PRIOR + losses) - logBeta(PRIOR, PRIOR) - logLikelihood(share, wins, losses);
const logBeta = (a: number, b: number): number => logGammaOf(a) + logGammaOf(b) - logGammaOf(a + b);
const logLikelihood = (share: number, wins: number, losses: number): number =>
  (wins === 0 ? 0 : wins * Math.log(share)) + (losses === 0 ? 0 : losses * Math.log1p(-share));

/** The share farthest on this side that is not yet refused; what is refused lies beyond it. */
const farthest = (from: number, to: 0 | 1, holds: (share: number) => boolean): number => {
  if (holds(to)) return to;
  let [inside, outside] = [from, to as number];
  for (let step = 0; step < 60; step += 1) {
    const middle = (inside + outside) / 2;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
};
