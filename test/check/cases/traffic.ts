/** What the checker must find in the ledger's own account of cycles and traffic. */
import type { Evidence, ServiceState } from '../../../check/evidence.ts';
import { CHALLENGER, FIRST, GOLD, HandMadeLedger } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

const admitted = () => new HandMadeLedger().admitted();
const deployed = () => admitted().grant().deploy();
const promoted = () => deployed().promote().ends('promoted');
/** Gold serves, and the challenger is asked too. */
const mirroring = () =>
  admitted()
    .grant()
    .shift('deploy', [
      { variant: GOLD, share: 1 },
      { variant: CHALLENGER, share: 0, mirror: 0.1 },
    ]);

export const BAD_TRAFFIC: readonly Bad[] = [
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
  [
    'a request is answered by a variant that had a share',
    'an answer of a variant that was only mirrored',
    () => mirroring().answered(CHALLENGER, 1_000).restore().ends('rolled back'),
  ],
  [
    'a request is mirrored to a variant that had a share of the mirror',
    'a copy to a variant on trial, to which nothing is mirrored',
    () => deployed().answered(CHALLENGER, 1_000, 5, { mirrored: true }).restore().ends('rolled back'),
  ],
  [
    'a request is mirrored to a variant that had a share of the mirror',
    'a copy after a kill, though it came to nothing',
    () => mirroring().kill().answered(CHALLENGER, 600, 5, { mirrored: true, error: 'Internal' }).ends('killed'),
  ],
  [
    'an answer is mixed from variants that were interleaved',
    'a list of two that were each to answer alone',
    () =>
      deployed()
        .answered(GOLD, 1_000, 5, { teams: [GOLD, CHALLENGER] })
        .restore()
        .ends('rolled back'),
  ],
  [
    'the ledger has no gap',
    'a row that is missing',
    () => {
      const home = promoted().evidence();
      return { ...home, ledger: home.ledger.filter(({ seq }) => seq !== 2) };
    },
  ],
  [
    'what serves is what the ledger says',
    'traffic that no row of the ledger tells of',
    () => withState(promoted(), { champion: GOLD }),
  ],
  [
    'a killed service serves gold',
    'a killed service that serves something else than the ledger says',
    () => withState(deployed().kill().ends('killed'), { arms: [{ variant: CHALLENGER, share: 1 }] }),
  ],
  [
    'a cycle registers at most one variant',
    'two variants of one cycle',
    () => {
      const ledger = promoted();
      ledger.variants.push({ id: 'challenger-2', service: 'docs', origin: FIRST });
      return ledger;
    },
  ],
  [
    'a cycle that does not promote leaves nothing on trial',
    'a rollback that did not happen',
    () => deployed().ends('rolled back'),
  ],
  [
    'a cycle that does not promote leaves nothing on trial',
    'a rollback that left the challenger a little',
    () =>
      deployed()
        .shift(
          'restore',
          [GOLD, CHALLENGER].map((variant, n) => ({ variant, share: n ? 0.1 : 0.9 })),
        )
        .ends('rolled back'),
  ],
  [
    'the shares of a service add up to 1',
    'traffic that nobody gets',
    () =>
      admitted()
        .grant()
        .shift('deploy', [
          { variant: GOLD, share: 0.5 },
          { variant: CHALLENGER, share: 0.4 },
        ])
        .restore()
        .ends('rolled back'),
  ],
  [
    'the shares of a service add up to 1',
    'a share below 0',
    () =>
      admitted()
        .grant()
        .shift('deploy', [
          { variant: GOLD, share: 1.5 },
          { variant: CHALLENGER, share: -0.5 },
        ])
        .restore()
        .ends('rolled back'),
  ],
];

const withState = (ledger: HandMadeLedger, over: Partial<ServiceState>): Evidence => {
  const home = ledger.evidence();
  return { ...home, services: home.services.map((state) => ({ ...state, ...over })) };
};
