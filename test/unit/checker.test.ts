import { describe, expect, test } from 'vitest';
import type { Evidence } from '../support/checker/evidence.ts';
import { RULES, type RuleName, violationsIn } from '../support/checker.ts';
import { CHALLENGER, FIRST, GOLD, HandMadeLedger } from '../support/hand-made-ledger.ts';

const admitted = () => new HandMadeLedger().admitted();
const deployed = () => admitted().grant().deploy();
const promoted = () => deployed().promote().ends('promoted');

const brokenIn = (ledger: HandMadeLedger, over: Partial<Evidence> = {}): RuleName[] => [
  ...new Set(violationsIn(ledger.evidence(over)).map(({ rule }) => rule)),
];

describe('the checker finds nothing wrong', () => {
  test('with a cycle that was promoted', () => expect(brokenIn(promoted())).toEqual([]));

  test('with a cycle that was rolled back', () => {
    expect(brokenIn(deployed().restore().ends('rolled back'))).toEqual([]);
  });

  test('with a service that was killed in the middle of a cycle and armed again', () => {
    expect(brokenIn(deployed().kill().ends('killed').change('arm', { latch: 'armed' }))).toEqual([]);
  });

  test('with a change that was refused', () => {
    const refused = { outcome: 'refused', because: 'killed', token: { epoch: 0, promotion: 1 }, champion: CHALLENGER };
    const late = { cycle: FIRST, by: 'cycle', body: refused };
    expect(brokenIn(deployed().kill().row('shift', late).ends('killed'))).toEqual([]);
  });

  test('with an answer that was on its way when its variant lost its share', () => {
    expect(brokenIn(promoted().answered(CHALLENGER, 1))).toEqual([]);
    expect(brokenIn(deployed().promote().answered(GOLD, 400).ends('promoted'))).toEqual([]);
    expect(brokenIn(deployed().promote().answered(GOLD, 2_000, 1_900).ends('promoted'))).toEqual([]);
  });
});

describe('the checker finds', () => {
  const badLedgers: ReadonlyArray<readonly [RuleName, string, () => HandMadeLedger]> = [
    ['every admitted cycle ends exactly once', 'a cycle without an end', () => deployed()],
    ['every admitted cycle ends exactly once', 'a cycle with two ends', () => promoted().ends('promoted')],
    [
      'every admitted cycle ends exactly once',
      'an end of a cycle that nobody admitted',
      () => new HandMadeLedger().change('register', {}).ends('kept'),
    ],
    ['a cycle ends in one of the known outcomes', 'an end of another kind', () => admitted().ends('lost')],
    [
      'a cycle promotes at most once',
      'a second champion of one cycle',
      () => deployed().promote().promote({ reason: 'promote again' }).ends('promoted'),
    ],
    [
      'a cycle promotes exactly when it says so',
      'a promotion that did not happen',
      () => deployed().restore().ends('promoted'),
    ],
    [
      'a cycle promotes exactly when it says so',
      'a promotion that nobody speaks of',
      () => deployed().promote().ends('failed'),
    ],
    [
      'a cycle promotes exactly when it says so',
      'a promotion of something else',
      () => deployed().promote().ends('promoted', GOLD),
    ],
    [
      'a cycle takes each step at most once',
      'traffic that was split twice',
      () => deployed().deploy().restore().ends('rolled back'),
    ],
    [
      'a cycle that has ended moves nothing',
      'a change of traffic by a cycle that ended',
      () => deployed().ends('failed').restore(),
    ],
    [
      'epoch and promotion number count kills and grants',
      'an epoch that fell',
      () => deployed().kill().ends('killed').change('arm', { latch: 'armed', epoch: 0 }),
    ],
    [
      'epoch and promotion number count kills and grants',
      'a promotion number that fell',
      () => promoted().change('arm', { promotion: 0 }),
    ],
    [
      'epoch and promotion number count kills and grants',
      'a grant that raised no number',
      () => admitted().change('grant', {}, { cycle: FIRST }).ends('kept'),
    ],
    [
      'traffic moves only by the grant given last',
      'a change by a cycle that was overtaken',
      () => deployed().row('cycle admitted', { cycle: 'si_2026_11_21_002' }).grant('si_2026_11_21_002').promote(),
    ],
    [
      'traffic moves only by the grant given last',
      'a change with an old epoch',
      () =>
        deployed()
          .kill()
          .change('arm', { latch: 'armed' })
          .promote({ body: { token: { epoch: 0, promotion: 1 } } }),
    ],
    [
      'traffic moves only by the grant given last',
      'a change with an old number',
      () =>
        deployed()
          .grant()
          .promote({ body: { token: { epoch: 0, promotion: 1 } } }),
    ],
    [
      'after a kill nothing moves until it is armed',
      'a change under the latch',
      () => deployed().kill().restore().ends('killed'),
    ],
    [
      'a killed service serves gold',
      'a kill that left the challenger its share',
      () =>
        deployed()
          .kill({ arms: [GOLD, CHALLENGER].map((variant) => ({ variant, share: 0.5 })) })
          .ends('killed'),
    ],
    ['no key is done twice', 'two rows of one key', () => promoted().row('paused', { key: 'key-1' })],
    [
      'what serves is what the ledger says',
      'a row that forgot the one before it',
      () => {
        const ledger = deployed();
        ledger.state = { ...(ledger.state as NonNullable<typeof ledger.state>), because: 'somebody else' };
        return ledger.promote().ends('promoted');
      },
    ],
    [
      'a request is answered by a variant that had a share',
      'an answer of a variant that is not on trial yet',
      () => admitted().answered(CHALLENGER, 1_000).ends('kept'),
    ],
    [
      'a request is answered by a variant that had a share',
      'an answer of the old champion',
      () => promoted().answered(GOLD, 1_000),
    ],
    [
      'a request is answered by a variant that had a share',
      'an answer of the challenger after a kill',
      () => deployed().kill().answered(CHALLENGER, 600).ends('killed'),
    ],
  ];
  test.each(badLedgers)('that not “%s”: %s', (rule, _, bad) => expect(brokenIn(bad())).toContain(rule));

  test('a row that is missing', () => {
    const ledger = promoted();
    expect(brokenIn(ledger, { ledger: ledger.rows.filter(({ seq }) => seq !== 2) })).toContain('the ledger has no gap');
  });

  test('traffic that no row of the ledger tells of', () => {
    const ledger = promoted();
    const services = ledger.state ? [{ ...ledger.state, champion: GOLD }] : [];
    expect(brokenIn(ledger, { services })).toEqual(['what serves is what the ledger says']);
  });

  test('a killed service that serves something else than the ledger says', () => {
    const ledger = deployed().kill().ends('killed');
    const services = ledger.state ? [{ ...ledger.state, arms: [{ variant: CHALLENGER, share: 1 }] }] : [];
    expect(brokenIn(ledger, { services })).toContain('a killed service serves gold');
  });

  test('two variants of one cycle', () => {
    const ledger = promoted();
    ledger.variants.push({ id: 'challenger-2', service: 'docs', origin: FIRST });
    expect(brokenIn(ledger)).toEqual(['a cycle registers at most one variant']);
  });

  test('a violation of each of its rules, in the cases above', () => {
    const tried = [
      ...badLedgers.map(([rule]) => rule),
      'the ledger has no gap',
      'a cycle registers at most one variant',
    ];
    expect(new Set(tried)).toEqual(new Set(Object.keys(RULES)));
  });
});
