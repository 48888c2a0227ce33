/** What the checker must find in the ledger's account of fixes. */
import type { Arm } from '../../../check/evidence.ts';
import { CHALLENGER, GOLD, HandMadeLedger } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

export const FIX = 'fx_2026_11_21_001';
const SECOND = 'second-1';
const whole = (variant: string): readonly Arm[] => [{ variant, share: 1 }];
const STARTS = { workflow: 'pawl:docs' };

/** The challenger and then a second one became champion; gold vouches for neither. */
const promoted = () => {
  const ledger = new HandMadeLedger().admitted().grant().promote().ends('promoted');
  const registered = { id: SECOND, service: 'docs', origin: 'si_2026_11_21_002', sha256: ledger.keep(SECOND) };
  ledger.variants.push(registered);
  ledger.row('cycle admitted', { cycle: 'si_2026_11_21_002', by: 'guardian' }).grant('si_2026_11_21_002');
  ledger.shift('promote', whole(SECOND), SECOND, { cycle: 'si_2026_11_21_002' });
  return ledger.row('cycle ended', {
    ...{ cycle: 'si_2026_11_21_002', by: 'cycle' },
    body: { outcome: 'promoted', challenger: SECOND },
  });
};

export const mending = (by = 'schedule', body: object = {}) =>
  promoted()
    .grant(FIX)
    .row('fix admitted', { cycle: FIX, by, body: { decision: '', ...body } });
type Ledger = ReturnType<typeof mending>;
export const goBack = (ledger: Ledger, to = CHALLENGER, reason = 'fix: back to the previous champion'): Ledger =>
  ledger.shift(reason, whole(to), to, { cycle: FIX, by: 'fix' });
export const mended = (ledger: Ledger, tried: readonly string[] = ['previous'], outcome = 'remedied'): Ledger =>
  ledger.row('fix ended', { cycle: FIX, by: 'fix', body: { outcome, tried: tried.map((remedy) => ({ remedy })) } });

export const BAD_FIXES: readonly Bad[] = [
  ['every admitted fix ends exactly once', 'a fix without an end', () => goBack(mending())],
  ['every admitted fix ends exactly once', 'a fix with two ends', () => mended(mended(goBack(mending())))],
  [
    'every admitted fix ends exactly once',
    'an end of a fix that nobody admitted',
    () => mended(promoted().grant(FIX) as Ledger, []),
  ],
  [
    'a fix ends in one of the known outcomes',
    'an end of another kind',
    () => mended(goBack(mending()), ['previous'], 'promoted'),
  ],
  [
    'a fix goes back to gold or to a champion of before',
    'a fix that made a new champion',
    () => mended(goBack(mending(), 'never-before')),
  ],
  [
    'a fix goes back to gold or to a champion of before',
    'a fix that left another one a share',
    () => {
      const arms = [
        { variant: CHALLENGER, share: 0.5 },
        { variant: GOLD, share: 0.5 },
      ];
      const told = { cycle: FIX, by: 'fix' };
      return mended(mending().shift('fix: back to the previous champion', arms, CHALLENGER, told));
    },
  ],
  [
    'a fix takes each remedy at most once, and says so',
    'a remedy that was taken twice',
    () => mended(goBack(goBack(mending()), GOLD)),
  ],
  [
    'a fix takes each remedy at most once, and says so',
    'a remedy of which the end does not speak',
    () => mended(goBack(goBack(mending()), GOLD, 'fix: back to gold')),
  ],
  [
    'a fix takes each remedy at most once, and says so',
    'a change of traffic that is no remedy',
    () => mended(goBack(mending(), CHALLENGER, 'because')),
  ],
  [
    'a fix that has ended moves nothing',
    'a change of traffic by a fix that ended',
    () => goBack(mended(mending(), ['previous'])),
  ],
  [
    'traffic moves only by the grant given last',
    'a fix that was overtaken',
    () => mended(goBack(mending().grant('si_2026_11_21_002'))),
  ],
  [
    'a cycle starts where the policy allows it',
    'a fix that started by itself, beside the one start that was allowed',
    () => {
      const ledger = new HandMadeLedger();
      ledger.row('decision', { by: 'policy', body: { action: 'start', allowed: true, person: null, ...STARTS } });
      ledger.admitted().grant().promote().ends('promoted');
      ledger.grant(FIX).row('fix admitted', { cycle: FIX, by: 'schedule', body: { decision: 'd' } });
      return mended(ledger, [], 'not needed');
    },
  ],
];
