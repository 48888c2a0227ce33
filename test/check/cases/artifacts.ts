/** What the checker must find in the folder of artifacts. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { Evidence } from '../../../check/evidence.ts';
import { sha256Hex } from '../../../check/hashes.ts';
import { CHALLENGER, GOLD, HandMadeLedger, LEDGER_KEY } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

const admitted = () => new HandMadeLedger().admitted();
const ref = (sha256: string) => ({ uri: `artifact:sha256/${sha256}`, sha256 });

/** A cycle that ended, and the statement over its files. */
export const sealed = (files: Readonly<Record<string, string>>, kept = files, key = LEDGER_KEY.privateKey) => {
  const ledger = admitted();
  for (const text of Object.values(kept)) ledger.keep(text);
  const subject = Object.entries(files).map(([name, text]) => ({ name, digest: { sha256: sha256Hex(text) } }));
  const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject }));
  const payloadType = 'application/vnd.in-toto+json';
  const signed = Buffer.concat([Buffer.from(`DSSEv1 28 ${payloadType} ${payload.length} `), payload]);
  const signatures = [{ keyid: '', sig: sign(null, signed, key).toString('base64') }];
  const statement = ledger.keep(JSON.stringify({ payload: payload.toString('base64'), payloadType, signatures }));
  return ledger.ends('kept', null, { sealed: { complete: true, missing: [], statement: ref(statement) } });
};

/** Another text under a digest. */
const swapped = (ledger: HandMadeLedger, was: string): Evidence => {
  ledger.artifacts.set(sha256Hex(was), 'something else');
  return ledger.evidence();
};

export const BAD_ARTIFACTS: readonly Bad[] = [
  [
    'the evidence of a cycle is there, as it was',
    'evidence that is gone',
    () => admitted().ends('kept', null, { evidence: { monitor: ref(sha256Hex('a look')) } }),
  ],
  [
    'the evidence of a cycle is there, as it was',
    'evidence that was changed',
    () => {
      const ledger = admitted();
      return swapped(ledger.ends('kept', null, { evidence: { monitor: ref(ledger.keep('a look')) } }), 'a look');
    },
  ],
  ...(
    [
      ['evaluate', { verdict: 'not better' }],
      ['watch', { state: 'no data' }],
    ] as const
  ).map(
    ([stage, said]): Bad => [
      'a promotion rests on evidence that says so',
      `a promotion whose ${stage} says ${Object.values(said)[0]}`,
      () => {
        const ledger = admitted().grant().deploy().promote();
        return ledger.ends('promoted', CHALLENGER, { evidence: { [stage]: ref(ledger.keep(JSON.stringify(said))) } });
      },
    ],
  ),
  ['what was sealed is there, as it was', 'a file of the folder that is gone', () => sealed({ 'a.json': 'a' }, {})],
  ['what was sealed is there, as it was', 'a file that was changed', () => swapped(sealed({ 'a.json': 'a' }), 'a')],
  [
    'what was sealed is there, as it was',
    'a statement that is gone',
    () => admitted().ends('kept', null, { sealed: { statement: ref(sha256Hex('statement')) } }),
  ],
  [
    'what was sealed is there, as it was',
    'a statement that is none',
    () => {
      const ledger = admitted();
      return ledger.ends('kept', null, { sealed: { statement: ref(ledger.keep('{}')) } });
    },
  ],
  [
    'what was sealed is signed by the key of the ledger',
    'a statement that somebody else signed',
    () => sealed({ 'a.json': 'a' }, { 'a.json': 'a' }, generateKeyPairSync('ed25519').privateKey),
  ],
  ['what serves is there, as it was built', 'gold that was changed', () => swapped(admitted().ends('kept'), GOLD)],
  [
    'what serves is there, as it was built',
    'a challenger that is gone while it serves',
    () => {
      const ledger = admitted().grant().deploy();
      ledger.artifacts.delete(sha256Hex(CHALLENGER));
      return ledger;
    },
  ],
  [
    'what serves is there, as it was built',
    'a champion that nobody registered',
    () => {
      const ledger = admitted().ends('kept');
      ledger.variants.splice(0);
      return ledger;
    },
  ],
];
