/** What came of the canaries, held against what was said beforehand. */
import { percentile } from '../../domain/percentile.ts';
import { atLeast, atMost, explaining, type Figure } from '../benchmark.ts';
import type { Attempt, Outcome } from './attempt.ts';
import { nameOf, placeOf, type Says, saysOf } from './ladder.ts';
import type { Stated } from './stated.ts';

/** It is looked every few seconds; traffic is to be back sooner than this. */
const PROMISED_MS = 30_000;

const ALLOWED: Readonly<Record<Says, readonly Outcome[]>> = {
  'rolled back': ['rolled back'],
  'never promoted': ['rolled back', 'held'],
  'may pass unseen': ['rolled back', 'held', 'promoted'],
  promoted: ['promoted'],
  'not rolled back': ['held', 'promoted'],
};

const OUTCOMES: readonly Outcome[] = ['rolled back', 'held', 'promoted', 'lost'];

interface Accounted extends Attempt {
  readonly says: Says;
  readonly isVoid: boolean;
}

export const account = (
  attempts: readonly Attempt[],
  said: ReadonlyMap<string, Stated>,
  violations: number,
): readonly Figure[] => {
  const all = attempts.map((one): Accounted => {
    const { effects = [], perSecond = 0 } = said.get(one.trial.asking.plan) ?? {};
    const says = saysOf(one.trial, effects);
    // Less traffic than was counted on excuses one that asked for more, and nothing else: least of all a promotion.
    const isShort = one.outcome === 'held' && one.perSecond < perSecond;
    return { ...one, says, isVoid: isShort && !ALLOWED[says].includes('held') };
  });
  const counted = all.filter(({ isVoid }) => !isVoid);
  const count = (some: readonly Accounted[], is: (one: Accounted) => boolean): number => some.filter(is).length;
  const wrong = (one: Accounted): boolean =>
    one.outcome === 'promoted' && (one.says === 'never promoted' || one.says === 'rolled back');
  const bad = counted.filter(({ trial }) => trial.kind !== null);
  const noticed = counted.filter(({ says }) => says === 'rolled back');
  const good = counted.filter(({ trial }) => trial.kind === null && trial.asking.plan === 'usual');
  const times = noticed.flatMap(({ outcome, championMs }) =>
    outcome === 'rolled back' && championMs !== null ? [championMs] : [],
  );
  const inOrder = all.toSorted((a, b) => placeOf(a.trial) - placeOf(b.trial));
  const rows = Map.groupBy(inOrder, ({ trial, says }) => `${trial.asking.plan}: ${nameOf(trial.kind)} (${says})`);
  const time = (share: number) =>
    times.length > 0
      ? percentile(
          times.toSorted((a, b) => a - b),
          share,
        )
      : 0;
  const sinceFault = all.filter(({ trial }) => trial.kind !== null);
  const failed = sinceFault.map((one) => one.failed);
  return [
    ...[...rows].flatMap(([name, some]) => {
      const these = some.filter(({ isVoid }) => !isVoid);
      const n = these.length;
      const outcomes = OUTCOMES.filter((outcome) => these.some((one) => one.outcome === outcome));
      const shown = outcomes.map((outcome) =>
        explaining(
          `${name}: ${outcome}`,
          count(these, (one) => one.outcome === outcome),
          '',
          n,
        ),
      );
      const voids = some.length - n;
      return voids > 0 ? [...shown, explaining(`${name}: void`, voids, '', some.length)] : shown;
    }),
    explaining('void: held, with less traffic than was counted on', all.length - counted.length, '', all.length),
    atMost(0, explaining('wrong promotions', count(all, wrong), '', bad.length)),
    atLeast(
      1,
      explaining(
        'degradations above the detectable size that were rolled back',
        noticed.length > 0 ? count(noticed, ({ outcome }) => outcome === 'rolled back') / noticed.length : 0,
        'share',
        noticed.length,
      ),
    ),
    atMost(
      0,
      explaining(
        'bad ones that ended otherwise than the ladder says',
        count(bad, ({ says, outcome }) => !ALLOWED[says].includes(outcome)),
        '',
        bad.length,
      ),
    ),
    explaining(
      'good ones with enough traffic that were promoted',
      count(good, ({ outcome }) => outcome === 'promoted'),
      '',
      good.length,
    ),
    explaining('from fault to champion, median', time(0.5), 'ms', times.length),
    explaining('  95th percentile', time(0.95), 'ms', times.length),
    atMost(PROMISED_MS, explaining('  slowest', time(1), 'ms', times.length)),
    explaining(
      'requests',
      all.reduce((sum, { visits }) => sum + visits, 0),
      '',
      all.length,
    ),
    explaining(
      'requests that failed, by bad ones',
      failed.reduce((sum, n) => sum + n, 0),
      '',
      failed.length,
    ),
    explaining('  most of one canary', Math.max(0, ...failed), '', failed.length),
    atMost(
      0,
      explaining(
        'requests that failed, by good ones',
        all.filter(({ trial }) => trial.kind === null).reduce((sum, one) => sum + one.failed, 0),
        '',
        all.length - failed.length,
      ),
    ),
    atMost(0, explaining('violations that the checker finds', violations, '', 1)),
  ];
};
