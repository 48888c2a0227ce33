/** What the simulations draw from. */
import type { RatioSums } from '../../contracts/ab.ts';
import { normalDraw } from '../../domain/beta.ts';
import type { Random } from '../../domain/random.ts';
import type { Subject } from '../../domain/statistics/ratio.ts';

export type SubjectDraw = (random: Random) => Subject;

export const conversion =
  (share: number): SubjectDraw =>
  (random) => ({ y: random() < share ? 1 : 0, m: 1, x: 0, w: 0 });

/** Revenue-like: a few subjects in a thousand bring what a hundred others do together. Kurtosis in the thousands. */
export const heavyTailed: SubjectDraw = (random) => ({ y: Math.exp(1.5 * normalDraw(random)), m: 1, x: 0, w: 0 });

/** Without a third moment: the sum of many is far from normal for long. */
export const withoutSkewness: SubjectDraw = (random) => ({ y: (1 - random()) ** (-1 / 2.5), m: 1, x: 0, w: 0 });

/** Clicks over answers of a subject with habits, who asked before as well in four cases of five. */
export const clicksPerAnswer: SubjectDraw = (random) => {
  const habit = random() ** 2;
  const [y, m] = asked(random, habit);
  const [x, w] = random() < 0.8 ? asked(random, habit) : [0, 0];
  return { y, m, x, w };
};
const asked = (random: Random, habit: number): readonly [clicks: number, answers: number] => {
  let [clicks, answers] = [0, 0];
  do {
    answers += 1;
    if (random() < habit) clicks += 1;
  } while (random() < 0.67);
  return [clicks, answers];
};

/** Hits among n, exactly binomial, by its table. */
export const binomial = (n: number, share: number): ((random: Random) => number) => {
  const upTo = new Float64Array(n + 1);
  let log = n * Math.log1p(-share);
  let total = 0;
  for (let k = 0; k <= n; k += 1) {
    total += Math.exp(log);
    upTo[k] = total;
    log += Math.log(((n - k) * share) / ((k + 1) * (1 - share)));
  }
  return (random) => {
    const at = random();
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 1) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
};

/** The sums of n subjects of whom so many were hits. */
export const sumsOfHits = (n: number, hits: number): RatioSums => ({
  n,
  sums: [hits, n, 0, 0],
  products: [hits, hits, 0, 0, n, 0, 0, 0, 0, 0],
});
