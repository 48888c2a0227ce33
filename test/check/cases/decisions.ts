/** What the checker must find in what people signed, and in what was made of it. */
import { ADA, BEN, CHALLENGER, FIRST, GOLD, HandMadeLedger, PEOPLE } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

/** A cycle that asks people, up to the moment at which they decide. */
const asking = (quorum = 1, by = 'guardian') =>
  new HandMadeLedger().admitted({ approval: { expiresMs: 1, quorum } }, by);
const promotedBy = (ledger: HandMadeLedger) => ledger.grant().deploy().promote().ends('promoted');
const approvedWith = (...said: Parameters<HandMadeLedger['decided']>[1][]) =>
  promotedBy(said.reduce((ledger, one) => ledger.decided('approve', one), asking()));

export const BAD_DECISIONS: readonly Bad[] = [
  [
    'a decision carries a token that its person signed',
    'an approval without a token',
    () => approvedWith({ token: '' }),
  ],
  [
    'a decision carries a token that its person signed',
    'a token that was changed after it was signed',
    () => {
      const ledger = asking();
      const honest = ledger.token(ADA, { kid: ADA.kid, person: 'ada', role: 'operator', action: 'skip' });
      const forged = Buffer.from(JSON.stringify({ kid: ADA.kid, person: 'ada', action: 'approve' }));
      const token = `${forged.toString('base64url')}.${honest.split('.')[1]}`;
      return promotedBy(ledger.decided('approve', { token }));
    },
  ],
  [
    'a decision carries a token that its person signed',
    "a token of somebody else's key",
    () => approvedWith({ by: BEN, claims: { person: 'ada' }, body: { person: 'ada' } }),
  ],
  [
    'a decision carries a token that its person signed',
    'a token of a key that nobody knows',
    () => ({ ...approvedWith({}).evidence(), people: PEOPLE.filter(({ name }) => name !== 'ada') }),
  ],
  ...(['action', 'workflow', 'step', 'variant', 'evidence', 'person', 'role'] as const).map(
    (field): Bad => [
      'a token allows what was signed, and nothing else',
      `a token for another ${field}`,
      () => approvedWith({ claims: { [field]: 'another' } }),
    ],
  ),
  [
    'a token counts while it is valid',
    'a token that had expired',
    () => approvedWith({ claims: { expiresAt: '2026-11-21T11:59:00.000Z' } }),
  ],
  [
    'a token counts while it is valid',
    'a token of tomorrow',
    () => approvedWith({ claims: { issuedAt: '2026-11-22T12:00:00.000Z', expiresAt: '2026-11-22T13:00:00.000Z' } }),
  ],
  [
    'a token counts while it is valid',
    'a token without an end',
    () => approvedWith({ claims: { expiresAt: 'never' } }),
  ],
  [
    'a token counts once',
    'one token for two approvals',
    () => {
      const ledger = asking(2).decided('approve');
      const token = String(ledger.rows.at(-1)?.body.token);
      return promotedBy(ledger.decided('approve', { token }));
    },
  ],
  [
    'a token counts once',
    'two tokens with one nonce',
    () => approvedWith({ claims: { nonce: 'the same' } }, { by: BEN, claims: { nonce: 'the same' } }),
  ],
  [
    'nobody decides after they were revoked',
    'an approval by somebody who was revoked an hour before',
    () => ({
      ...approvedWith({}).evidence(),
      people: PEOPLE.map((person) => ({ ...person, revoked: '2026-11-21T11:00:00.000Z' })),
    }),
  ],
  [
    'everybody decides in a role of theirs',
    'an approval in the role of somebody else',
    () => approvedWith({ claims: { role: 'owner' }, body: { role: 'owner' } }),
  ],
  [
    'nobody approves what they asked for',
    'an approval by whoever asked for the cycle',
    () => promotedBy(asking(1, 'person').decided('approve')),
  ],
  [
    'people approve the evidence that the cycle leaves',
    'an approval of another evaluation than the last one',
    () => {
      const evidence = { evaluate: { sha256: GOLD } };
      return asking().decided('approve').grant().deploy().promote().ends('promoted', CHALLENGER, { evidence });
    },
  ],
  [
    'a promotion has the approvals that its plan asks for',
    'a promotion that nobody approved',
    () => promotedBy(asking()),
  ],
  [
    'a promotion has the approvals that its plan asks for',
    'two approvals of one person where two people are asked',
    () => promotedBy(asking(2).decided('approve').decided('approve')),
  ],
  [
    'a promotion has the approvals that its plan asks for',
    'an approval of another variant',
    () => approvedWith({ claims: { variant: GOLD }, body: { variant: GOLD } }),
  ],
  [
    'a promotion has the approvals that its plan asks for',
    'an approval that was refused',
    () => approvedWith({ body: { allowed: false } }),
  ],
  [
    'a promotion has the approvals that its plan asks for',
    'an approval that came when traffic had moved already',
    () => asking().grant().deploy().decided('approve').promote().ends('promoted'),
  ],
  [
    'gold, arming and resuming follow a decision',
    'a service that was armed without a signature',
    () => asking().decided('approve').kill().ends('killed').change('arm', { latch: 'armed' }),
  ],
  [
    'gold, arming and resuming follow a decision',
    'gold that is not what was signed',
    () => {
      const ledger = asking().decided('gold', { claims: { variant: CHALLENGER }, body: { variant: CHALLENGER } });
      return ledger.change('gold', { gold: GOLD }, { body: { variant: GOLD } }).ends('kept');
    },
  ],
  [
    'gold, arming and resuming follow a decision',
    'one signature that resumed twice',
    () => asking().decided('resume').row('resumed').row('resumed').ends('kept'),
  ],
  [
    'gold, arming and resuming follow a decision',
    'a fleet that was lifted without a signature',
    () => asking().decided('resume').row('lift all').ends('kept'),
  ],
  [
    'a cycle starts where the policy allows it',
    'a second cycle on the one start that was allowed',
    () => {
      const ledger = new HandMadeLedger().automation('start').admitted().ends('kept');
      return ledger.row('cycle admitted', { cycle: `${FIRST}x` });
    },
  ],
  [
    'a cycle starts where the policy allows it',
    'a cycle whose start was refused',
    () => new HandMadeLedger().automation('start', false).admitted().ends('kept'),
  ],
  [
    'automation moves traffic where the policy allows it',
    'a challenger that is given to users as if it were a way back',
    () =>
      new HandMadeLedger().automation('start').admitted().grant().deploy({ reason: 'restore' }).restore().ends('kept'),
  ],
  [
    'automation moves traffic where the policy allows it',
    'a challenger that has a hand in more answers than the policy allowed, since it is interleaved',
    () => {
      // Before the policy was ever asked, so that only what follows is held against it.
      const ledger = new HandMadeLedger().admitted().grant().deploy().automation('start');
      const mixed = [GOLD, CHALLENGER].map((variant) => ({ variant, share: 0.5, interleave: true }));
      return ledger.shift('mix', mixed).restore().ends('rolled back');
    },
  ],
  [
    'automation moves traffic where the policy allows it',
    'a promotion that the policy did not allow',
    () => {
      const ledger = new HandMadeLedger().admitted().grant().automation('deploy').deploy();
      return ledger.automation('promote', false).promote().ends('promoted');
    },
  ],
  [
    'automation moves traffic where the policy allows it',
    'a promotion about which the policy was not asked',
    () => promotedBy(new HandMadeLedger().admitted().row('decision', { body: { action: 'start', allowed: true } })),
  ],
  [
    'automation moves traffic where the policy allows it',
    "a promotion that was allowed to another service's cycle",
    () => {
      const ledger = new HandMadeLedger().admitted().automation('deploy').grant().deploy();
      return ledger.row('decision', { cycle: `${FIRST}x`, body: { action: 'promote', allowed: true } }).promote();
    },
  ],
];
