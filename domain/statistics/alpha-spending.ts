/**
 * One challenger after the other: each evaluation of a service gets a part of alpha, and all parts together are alpha, so the
 * chance of ever shipping a challenger that is no better stays below alpha, however many are tried.
 *
 * alpha / (n (n + 1)), because
 * 1. nobody needs to say how many there will be: it sums to alpha over all n, and what is left after n of them is alpha / (n + 1);
 * 2. it depends on n alone, not on what the others found: asked again, it answers the same;
 * 3. it costs little: subjects needed grow with the logarithm of 1 / alpha, so the second evaluation needs 1.4 times as many
 *    as one that has all of alpha, the tenth 2.1 times, and the hundredth 3.1 times.
 *
 * A rule that earns alpha back with each challenger that wins would give more, but bounds only the share of wrong ones among
 * those that were shipped.
 */
export const alphaOf = (nth: number, alpha: number): number => alpha / (nth * (nth + 1));
