/**
 * The canary judge on made latencies: how many good canaries it fails, how many bad ones it misses, and whether it notices
 * what it was said to notice before they began.
 *
 * A request takes log-normally long, a few of them by a Pareto tail; the hour of the day and bursts slow both arms alike; and
 * all is rounded to milliseconds, so that many are equal.
 */
import type { Judging } from '../../contracts/canary.ts';
import { normalDraw } from '../../domain/beta.ts';
import { type CanaryTraffic, smallestNoticed } from '../../domain/canary/detectable.ts';
import { judgeSeries } from '../../domain/canary/judge.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { clopperPearson } from '../../domain/statistics/special.ts';
import { atMost, explaining, type Figure } from '../benchmark.ts';
import type { Part } from './part.ts';

const CANARIES = 1_000;
const RUNGS = [0.05, 0.1, 0.2, 0.5, 2];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The same as is promised of the detectable size: domain/canary/detectable.ts. */
const MISSED = 0.05;

const RULE = {
  metric: 'latency',
  worse: 'higher',
  weight: 1,
  critical: true,
  mustHave: true,
  muted: false,
  tolerance: 0.05,
  outliers: 3,
} as const;
const JUDGING: Judging = {
  metrics: [RULE],
  intervalMs: 30_000,
  count: null,
  delayMs: 0,
  confidence: 0.98,
  samples: 30,
  pass: 75,
  marginal: 50,
};
/** `looks` while it runs, too: a canary is judged again and again. */
const SERVICES: Readonly<Record<string, CanaryTraffic & { readonly looks: number }>> = {
  'small service': { requestsPerMinute: 120, share: 0.1, windowMs: 5 * MINUTE_MS, looks: 10 },
  'large service': { requestsPerMinute: 400, share: 0.2, windowMs: 5 * MINUTE_MS, looks: 1 },
};

/** What a request takes longer at a moment, whoever answers it. */
const weather = (random: Random, windowMs: number): ((ms: number) => number) => {
  const hour = random() * DAY_MS;
  const bursts = Array.from({ length: Math.floor(random() * 4) }, () => {
    const from = random() * windowMs;
    return { from, to: from + 5_000 + random() * 20_000, factor: 1.5 + random() * 3 };
  });
  return (ms) =>
    bursts.reduce(
      (factor, burst) => (ms >= burst.from && ms < burst.to ? factor * burst.factor : factor),
      // As steep as a rush hour may be: a day's swing in two hours.
      1 + 0.3 * Math.sin((2 * Math.PI * (hour + 12 * ms)) / DAY_MS),
    );
};

const latency = (random: Random): number =>
  random() < 0.03 ? 250 * (1 - random()) ** (-1 / 1.3) : 80 * Math.exp(0.55 * normalDraw(random));

interface Request {
  readonly at: number;
  readonly challenger: boolean;
  readonly ms: number;
}
type Slowing = (ms: number, random: Random) => number;
const times =
  (factor: number): Slowing =>
  (ms) =>
    ms * factor;

const canary = ({ requestsPerMinute, share, windowMs }: CanaryTraffic, slowing: Slowing, seed: number): Request[] => {
  const random = seeded(seed);
  const slow = weather(random, windowMs);
  return Array.from({ length: Math.round((requestsPerMinute * windowMs) / MINUTE_MS) }, () => {
    const at = random() * windowMs;
    const challenger = random() < share;
    const ms = latency(random) * slow(at);
    return { at, challenger, ms: Math.round(challenger ? slowing(ms, random) : ms) };
  });
};

const fails = (requests: readonly Request[]): boolean => {
  const of = (challenger: boolean): number[] =>
    requests.filter((one) => one.challenger === challenger).map(({ ms }) => ms);
  const series = [{ metric: 'latency', challenger: of(true), baseline: of(false) }];
  return judgeSeries(JUDGING, series).outcome === 'failed';
};

/** Looked at as they come, the newest and all before it. */
const failsAtSomeLook = (requests: readonly Request[], windowMs: number, looks: number): boolean =>
  Array.from({ length: looks }, (_, look) => ((look + 1) / looks) * windowMs).some((until) =>
    fails(requests.filter(({ at }) => at < until)),
  );

const share = (many: number, holds: (seed: number) => boolean): number => {
  let count = 0;
  for (let seed = 0; seed < many; seed += 1) if (holds(seed)) count += 1;
  return count / many;
};

const figuresOf = (
  name: string,
  { looks, ...traffic }: CanaryTraffic & { readonly looks: number },
  progress: (line: string) => void,
): Figure[] => {
  const { windowMs } = traffic;
  // A day before: what is known of the champion when the canary is announced.
  const values = Array.from({ length: 20 }, (_, day) => canary(traffic, times(1), 900_000 + day)).flatMap((requests) =>
    requests.map(({ ms }) => ms),
  );
  const { relative } = smallestNoticed({ traffic, champion: { values }, rule: RULE, judging: JUDGING });
  const detectable = relative ?? Number.NaN;
  const missed = (slowing: Slowing, first: number, many = CANARIES / RUNGS.length): number =>
    share(many, (seed) => !fails(canary(traffic, slowing, first + seed)));
  progress(`judge, ${name}: notices latency +${Math.round(100 * detectable)} %; ${CANARIES} good canaries`);
  const alarms = (looks: number): number =>
    share(CANARIES, (seed) => failsAtSomeLook(canary(traffic, times(1), seed), windowMs, looks));
  progress(`judge, ${name}: ${CANARIES} bad canaries, and as many of the detectable size`);
  const bad = RUNGS.map((rung, i) => {
    const figure = explaining(
      `judge, ${name}: missed at +${100 * rung} %`,
      missed(times(1 + rung), 10_000 * (i + 1)),
      'of all',
      CANARIES / RUNGS.length,
    );
    return rung >= detectable ? atMost(MISSED, figure) : figure;
  });
  const atDetectable = missed(times(1 + detectable), 100_000, CANARIES);
  const surely = clopperPearson(Math.round(atDetectable * CANARIES), CANARIES, 0.05).low;
  const tail: Slowing = (ms, random) => (random() < 0.05 ? 10 * ms : ms);
  return [
    ...[...new Set([1, looks])].map((looks) =>
      atMost(0.01, explaining(`judge, ${name}: false alarms, looks: ${looks}`, alarms(looks), 'of all', CANARIES)),
    ),
    explaining(`judge, ${name}: detectable latency`, 100 * detectable, '%', values.length),
    explaining(`judge, ${name}: missed at the detectable size`, atDetectable, 'of all', CANARIES),
    atMost(MISSED, explaining(`judge, ${name}: the same, at least (95 %)`, surely, 'of all', CANARIES)),
    ...bad,
    explaining(
      `judge, ${name}: missed, 1 request in 20 ten times slower`,
      missed(tail, 200_000),
      'of all',
      CANARIES / RUNGS.length,
    ),
  ];
};

export const judge: Part = (progress) =>
  Object.entries(SERVICES).flatMap(([name, traffic]) => figuresOf(name, traffic, progress));
