/** How many subjects a two-sided test of a difference of means needs, and how long that takes. */
import { normalQuantile, normalSf } from './special.ts';

export interface Question {
  /** What is to be noticed, relative to the mean; its sign does not matter. */
  readonly relative: number;
  readonly mean: number;
  readonly sd: number;
  readonly alpha: number;
  /** How often it is to be noticed. */
  readonly power: number;
  /** Subjects of the challenger for each of the champion's. */
  readonly ratio: number;
}

/** Subjects of the champion, not rounded; null where nothing is to be noticed, or nothing is known. */
export const championsNeeded = ({ relative, mean, sd, alpha, power, ratio }: Question): number | null => {
  const effect = Math.abs((relative * mean) / sd);
  if (!(effect > 0 && effect < Number.POSITIVE_INFINITY && ratio > 0 && power < 1)) return null;
  const limit = -normalQuantile(alpha / 2);
  const noticed = (n: number): number => {
    const off = effect * Math.sqrt((n * ratio) / (1 + ratio));
    return normalSf(limit - off) + normalSf(limit + off);
  };
  let [low, high] = [0, 1];
  while (noticed(high) < power) [low, high] = [high, 2 * high];
  for (let step = 0; step < 200; step += 1) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (noticed(middle) < power) low = middle;
    else high = middle;
  }
  return high;
};

/** Of both arms together. */
export const subjectsNeeded = (question: Question): number | null => {
  const champions = championsNeeded(question);
  return champions === null ? null : Math.ceil(champions) + Math.ceil(champions * question.ratio);
};

export interface Duration {
  readonly days: number | null;
  readonly sentence: string;
}

/** 'With your traffic this takes about 9 days.' Never shorter than its least run time. */
export const durationOf = ({
  subjectsPerDay,
  needed,
  leastDays = 0,
}: {
  readonly subjectsPerDay: number;
  readonly needed: number | null;
  readonly leastDays?: number;
}): Duration => {
  if (needed === null) return { days: null, sentence: 'How long this takes cannot be said: nothing was measured yet.' };
  if (!(subjectsPerDay > 0)) return { days: null, sentence: 'There is no traffic, so this would never end.' };
  const exact = needed / subjectsPerDay;
  const days = Math.max(leastDays, exact);
  const why = exact < leastDays ? `, the least that it runs; its subjects come in ${spoken(exact)}` : '';
  return { days, sentence: `With your traffic this takes about ${spoken(days)}${why}.` };
};

const HOURS = 24;
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
/** Rounded up: who is promised 9 days should not wait for a tenth. */
const spoken = (days: number): string =>
  days < 1 ? counted(Math.max(1, Math.ceil(days * HOURS)), 'hour') : counted(Math.ceil(days), 'day');
