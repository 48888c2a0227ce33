/** Distribution functions, to 1e-9 and better (test/fixtures/statistics/make-sequences.py). */
import { betaBelow, betaQuantile, logGammaOf } from '../beta.ts';

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);
const ENOUGH = 1e-16;
const MOST_TERMS = 10_000;
/** From here on a t is normal but for a few terms: the fraction of the beta function would need thousands. */
const NEARLY_NORMAL = 50_000;

export const normalDensity = (z: number): number => Math.exp(-0.5 * z * z) / ROOT_TWO_PI;

/** Above z, for z ≥ 0: with all its digits however far out. */
const upperTail = (z: number): number => {
  if (z > 40) return 0;
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let k = 3; term > ENOUGH * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - normalDensity(z) * sum;
  }
  // Laplace's continued fraction, from its far end: so many terms are enough from 2.5 on.
  let rest = z;
  for (let k = Math.ceil(20 + 500 / (z * z)); k > 0; k -= 1) rest = z + k / rest;
  return normalDensity(z) / rest;
};

export const normalSf = (z: number): number => (z < 0 ? 1 - upperTail(-z) : upperTail(z));
export const normalCdf = (z: number): number => normalSf(-z);

/** Abramowitz and Stegun 26.2.23 as a start, then Halley's steps, each of which trebles the digits. */
export const normalQuantile = (p: number): number => {
  if (!(p > 0 && p < 1)) return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  const ahead = 2.515517 + t * (0.802853 + t * 0.010328);
  let z = t - ahead / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 3; step += 1) {
    const off = (p - normalSf(z)) / normalDensity(z);
    z -= off / (1 + (off * z) / 2);
  }
  return -z;
};

/** Above x, of a chi-square distribution. */
export const chiSquareSf = (x: number, df: number): number => {
  if (!(x > 0)) return Number.isNaN(x) ? x : 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const [a, half] = [df / 2, x / 2];
  const front = Math.exp(a * Math.log(half) - half - logGammaOf(a));
  return half < a + 1 ? 1 - front * belowSeries(a, half) : front * aboveFraction(a, half);
};

const belowSeries = (a: number, x: number): number => {
  let term = 1 / a;
  let sum = term;
  for (let k = 1; k < MOST_TERMS && term > ENOUGH * sum; k += 1) {
    term *= x / (a + k);
    sum += term;
  }
  return sum;
};

/** Lentz's method. */
const aboveFraction = (a: number, x: number): number => {
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let result = d;
  for (let k = 1; k < MOST_TERMS; k += 1) {
    b += 2;
    d = 1 / (b - k * (k - a) * d);
    c = b - (k * (k - a)) / c;
    result *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return result;
};

/** Above t, of Student's distribution; df need not be whole. */
export const studentSf = (t: number, df: number): number => {
  if (t < 0) return 1 - studentSf(-t, df);
  if (df >= NEARLY_NORMAL) return nearlyNormalSf(t, df);
  const square = t * t;
  // Each of the two keeps its digits where the other loses them.
  return square < (3 * df) / (df + 2)
    ? 0.5 - 0.5 * betaBelow(square / (df + square), 0.5, df / 2)
    : 0.5 * betaBelow(df / (df + square), df / 2, 0.5);
};

/** Fisher's expansion; what it leaves out is of the order of 1/df³. */
const nearlyNormalSf = (t: number, df: number): number => {
  if (!(t < 40)) return Number.isNaN(t) ? t : 0;
  const s = t * t;
  const first = (t * (s + 1)) / (4 * df);
  const second = (t * (((3 * s - 7) * s - 5) * s - 3)) / (96 * df * df);
  return normalSf(t) + normalDensity(t) * (first + second);
};

export const studentQuantile = (p: number, df: number): number => {
  if (!(p > 0 && p < 1)) return normalQuantile(p);
  if (p < 0.5) return -studentQuantile(1 - p, df);
  const above = 1 - p;
  let [low, high] = [0, 1];
  while (studentSf(high, df) > above) [low, high] = [high, high * 2];
  for (let step = 0; step < 100 && high - low > 1e-15 * high; step += 1) {
    const middle = (low + high) / 2;
    if (studentSf(middle, df) > above) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** The shares for which so many hits would be no surprise at either end: covers at least 1 − alpha, whatever the share. */
export const clopperPearson = (
  hits: number,
  n: number,
  alpha: number,
): { readonly low: number; readonly high: number } => ({
  low: hits <= 0 ? 0 : betaQuantile(alpha / 2, hits, n - hits + 1),
  high: hits >= n ? 1 : betaQuantile(1 - alpha / 2, hits + 1, n - hits),
});
