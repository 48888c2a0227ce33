/** What the checker must find in the ledger's account of trials in live traffic, and of the watch after a promotion. */
import type { Arm } from '../../../check/evidence.ts';
import { CHALLENGER, FIRST, GOLD, HandMadeLedger } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';
import { FIX } from './fixes.ts';

const ofCycle = { cycle: FIRST, by: 'cycle' };
const alone = (variant: string): readonly Arm[] => [{ variant, share: 1 }];
const shared = (share: number): readonly Arm[] => [
  { variant: GOLD, share: 1 - share },
  { variant: CHALLENGER, share },
];
const granted = () => new HandMadeLedger().admitted().grant();
type Ledger = HandMadeLedger;

export const abStarts = (ledger: Ledger = granted()): Ledger =>
  ledger.row('ab started', { ...ofCycle, body: { champion: GOLD, challenger: CHALLENGER } });
/** One change of traffic by the trial of that kind. */
const moves = (ledger: Ledger, kind: 'ab' | 'canary', arms: readonly Arm[], champion?: string): Ledger => {
  const n = ledger.rows.length;
  return ledger.shift(`${kind} ${n}`, arms, champion, { key: `pawl:docs:${kind}:${FIRST}/${n}` });
};
export const abGives = (ledger: Ledger, share: number): Ledger =>
  moves(ledger, 'ab', share === 0 ? alone(GOLD) : shared(share));
export const canaryGives = (ledger: Ledger, share: number): Ledger =>
  moves(ledger, 'canary', share === 0 ? alone(GOLD) : shared(share));
export const canaryPromotes = (ledger: Ledger): Ledger => moves(ledger, 'canary', alone(CHALLENGER), CHALLENGER);
export const trialEnds = (ledger: Ledger, kind: 'ab' | 'canary', outcome: string, body: object = {}): Ledger =>
  ledger.row(`${kind} ended`, { ...ofCycle, body: { outcome, ...body } });
export const watchEnds = (ledger: Ledger, outcome: string, fix: string | null = null): Ledger =>
  ledger.row('watch ended', { cycle: FIRST, by: 'watch', body: { outcome, fix } });

/** Better in an A/B evaluation, and promoted by a canary after it. */
export const throughBoth = (): Ledger => {
  const better = trialEnds(abGives(abGives(abStarts(), 0.1), 0.5), 'ab', 'better');
  return trialEnds(canaryPromotes(canaryGives(better, 0.2)), 'canary', 'promoted').ends('promoted');
};
export const backFromCanary = (): Ledger =>
  trialEnds(canaryGives(canaryGives(granted(), 0.2), 0), 'canary', 'rolled back').ends('rolled back');
export const mendedAfter = (): Ledger => {
  const fix = { cycle: FIX, by: 'fix' };
  const ledger = throughBoth()
    .grant(FIX)
    .row('fix admitted', { cycle: FIX, by: 'watch', body: { decision: '' } });
  ledger.shift('fix: back to the previous champion', alone(GOLD), GOLD, fix);
  return ledger.row('fix ended', { ...fix, body: { outcome: 'remedied', tried: [{ remedy: 'previous' }] } });
};

const [AB_ONCE, CANARY_ONCE] = [
  'an A/B evaluation that was started ends exactly once',
  'a canary that has moved traffic ends exactly once',
] as const;
const LEAVES = 'a trial leaves the traffic that its end tells of';
const MORE = 'an A/B evaluation gives its challenger more from step to step';
const WATCH_ONCE = 'a watch comes after a promotion and ends at most once';
const BY_A_FIX = 'a watch that has gone back names the fix that did it';

export const BAD_TRIALS: readonly Bad[] = [
  [AB_ONCE, 'an evaluation without an end', () => abGives(abStarts(), 0.1)],
  [
    AB_ONCE,
    'an evaluation with two ends',
    () => trialEnds(trialEnds(abStarts(), 'ab', 'kept'), 'ab', 'aborted').ends('kept'),
  ],
  [AB_ONCE, 'an evaluation that started twice', () => trialEnds(abStarts(abStarts()), 'ab', 'kept').ends('kept')],
  [AB_ONCE, 'an evaluation that moves traffic and never started', () => abGives(granted(), 0.1)],
  [CANARY_ONCE, 'a canary without an end', () => canaryPromotes(canaryGives(granted(), 0.1)).ends('promoted')],
  [CANARY_ONCE, 'a canary with two ends', () => trialEnds(backFromCanary(), 'canary', 'aborted')],
  [
    'a trial that has ended moves nothing',
    'a canary that promotes after it has ended',
    () => canaryPromotes(trialEnds(canaryGives(granted(), 0.1), 'canary', 'aborted')).ends('promoted'),
  ],
  [
    'a trial that has ended moves nothing',
    'an evaluation that gives more after it has ended',
    () => abGives(trialEnds(abGives(abStarts(), 0.1), 'ab', 'better'), 0.5),
  ],
  [
    LEAVES,
    'a canary that went back and left the challenger its share',
    () => trialEnds(canaryGives(granted(), 0.2), 'canary', 'rolled back').restore().ends('rolled back'),
  ],
  [
    LEAVES,
    'a canary that went back and left the challenger its mirror',
    () => {
      const mirrored = [
        { variant: GOLD, share: 1 },
        { variant: CHALLENGER, share: 0, mirror: 0.1 },
      ];
      return trialEnds(moves(granted(), 'canary', mirrored), 'canary', 'aborted')
        .restore()
        .ends('aborted');
    },
  ],
  [
    LEAVES,
    'a canary that says promoted and made no champion',
    () => trialEnds(moves(granted(), 'canary', alone(CHALLENGER)), 'canary', 'promoted').ends('promoted'),
  ],
  [
    LEAVES,
    'a canary that says promoted and never moved anything',
    () => trialEnds(granted(), 'canary', 'promoted').ends('promoted'),
  ],
  [
    LEAVES,
    'an evaluation that kept the champion, and the challenger serving',
    () => trialEnds(abGives(abStarts(), 0.5), 'ab', 'kept').restore().ends('kept'),
  ],
  [
    LEAVES,
    'an evaluation that says better and took the share away',
    () => trialEnds(abGives(abGives(abStarts(), 0.5), 0), 'ab', 'better').ends('kept'),
  ],
  [
    MORE,
    'a share that was made smaller',
    () => trialEnds(abGives(abGives(abStarts(), 0.5), 0.1), 'ab', 'better').ends('kept'),
  ],
  [
    MORE,
    'a share that was taken back and given again',
    () => trialEnds(abGives(abGives(abGives(abStarts(), 0.1), 0), 0.5), 'ab', 'better').ends('kept'),
  ],
  [
    'a canary promotes exactly when its cycle does',
    'a cycle that was promoted by no canary of its',
    () =>
      trialEnds(canaryGives(canaryGives(granted(), 0.2), 0), 'canary', 'aborted')
        .promote()
        .ends('promoted'),
  ],
  [
    'a canary promotes exactly when its cycle does',
    'a canary that promoted what its cycle knows nothing of',
    () => trialEnds(canaryPromotes(canaryGives(granted(), 0.2)), 'canary', 'promoted').ends('failed'),
  ],
  [WATCH_ONCE, 'a watch with two ends', () => watchEnds(watchEnds(throughBoth(), 'passed'), 'passed')],
  [WATCH_ONCE, 'a watch over what was never promoted', () => watchEnds(backFromCanary(), 'passed')],
  [BY_A_FIX, 'a watch that says it went back, by no fix', () => watchEnds(throughBoth(), 'rolled back')],
  [
    BY_A_FIX,
    'a watch that says it went back, by a fix that there never was',
    () => watchEnds(throughBoth(), 'rolled back', FIX),
  ],
  [
    BY_A_FIX,
    'a watch that ended before its fix had gone back',
    () => {
      const ledger = throughBoth()
        .grant(FIX)
        .row('fix admitted', { cycle: FIX, by: 'watch', body: { decision: '' } });
      return watchEnds(ledger, 'rolled back', FIX).row('fix ended', {
        ...{ cycle: FIX, by: 'fix' },
        body: { outcome: 'remedied', tried: [] },
      });
    },
  ],
];
