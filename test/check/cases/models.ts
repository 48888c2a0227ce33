/** What the checker must find among the models that were registered. */
import { HandMadeLedger } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

interface Told {
  readonly kind?: string;
  readonly parity?: unknown;
  readonly files?: Readonly<Record<string, string>>;
}

/** An adapter whose card and files are kept. */
export const registered = ({
  kind = 'adapter',
  parity = 2e-6,
  files = { 'adapter_model.safetensors': 'weights' },
}: Told = {}) => {
  const ledger = new HandMadeLedger().admitted();
  const refs = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, { sha256: ledger.keep(text) }]));
  const sha256 = ledger.keep(JSON.stringify({ kind, parity, files: refs }));
  return ledger.row('model registered', { body: { id: sha256, kind, card: { sha256 } } }).ends('kept');
};

/** What lies under the digest of a text, afterwards. */
const without = (ledger: HandMadeLedger, holding: string, becomes?: string): HandMadeLedger => {
  for (const [digest, text] of ledger.artifacts) {
    if (!text.includes(holding)) continue;
    if (becomes === undefined) ledger.artifacts.delete(digest);
    else ledger.artifacts.set(digest, becomes);
  }
  return ledger;
};

export const BAD_MODELS: readonly Bad[] = [
  ['a registered model is there, as it was made', 'a card that is gone', () => without(registered(), 'parity')],
  ['a registered model is there, as it was made', 'weights that are gone', () => without(registered(), 'weights')],
  [
    'a registered model is there, as it was made',
    'weights that were changed',
    () => without(registered({ files: { model: 'heavy' } }), 'heavy', 'light'),
  ],
  [
    'a registered model is there, as it was made',
    'a model under the digest of another card',
    () => {
      const ledger = new HandMadeLedger().admitted();
      const body = { id: 'a'.repeat(64), kind: 'encoder', card: { sha256: ledger.keep('{}') } };
      return ledger.row('model registered', { body }).ends('kept');
    },
  ],
  ...[0.01, -1, null, '0'].map(
    (parity): Bad => [
      'an adapter serves what was trained',
      `an adapter whose proof says ${parity}`,
      () => registered({ parity }),
    ],
  ),
];
