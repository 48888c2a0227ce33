/**
 * The mixture sequential probability ratio test (Robbins 1970; Johari, Koomen, Pekelis, Walsh, Operations Research 2022): how
 * much likelier what was seen is under effects spread normally about zero than under none. One over that ratio is a p-value
 * at every look: under no effect it ever falls below alpha with probability alpha at most.
 */
import { rho2 } from './confidence-sequence.ts';

export interface Effect {
  readonly estimate: number;
  /** Of the estimate. */
  readonly variance: number;
  /** Of the effects that are mixed over. */
  readonly tau2: number;
}

/** The p of a test is the least that any look has found. Where nothing varies, what is not zero is certain. */
export const mixtureP = ({ estimate, variance, tau2 }: Effect): number => {
  if (!(variance > 0)) return variance === 0 && estimate !== 0 ? 0 : 1;
  const total = variance + tau2;
  const evidence = (tau2 * estimate ** 2) / (2 * variance * total) - 0.5 * Math.log1p(tau2 / variance);
  return Math.min(1, Math.exp(-evidence));
};

/** With this spread the p is below alpha exactly where the confidence sequence of the same plan leaves 0 out. */
export const tau2For = ({
  variance,
  n,
  alpha,
  planned,
}: {
  /** Of the estimate, from n subjects. */
  readonly variance: number;
  readonly n: number;
  readonly alpha: number;
  readonly planned: number;
}): number => rho2(alpha, planned) * n * variance;

export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Of a subject. */
  readonly variance: number;
}
export const meansP = (a: Moments, b: Moments, tau2: number): number =>
  mixtureP({ estimate: b.mean - a.mean, variance: a.variance / a.n + b.variance / b.n, tau2 });

export interface Hits {
  readonly hits: number;
  readonly n: number;
}
/** With the variance of no difference, in which both arms share: an arm without a hit has none of its own. */
export const proportionsP = (a: Hits, b: Hits, tau2: number): number => {
  const share = (a.hits + b.hits) / (a.n + b.n);
  const variance = share * (1 - share) * (1 / a.n + 1 / b.n);
  return mixtureP({ estimate: b.hits / b.n - a.hits / a.n, variance, tau2 });
};
