/** The ledger's key as a signer of statements: it says 'this store sealed it', as it says of every head. */
import { sign } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';
import type { ControlStore } from '../control/port.ts';
import { ledgerKeyFor, ledgerKeyPath } from '../keys/ledger-key.ts';
import { vkeyOf } from '../ledger/signed-note.ts';
import type { Signer } from './dsse.ts';

/** `database` is where the store lies; its key lies beside it. */
export const ledgerSigner = async (control: Pick<ControlStore, 'ledgerKey'>, database: string): Promise<Signer> => {
  const key = ledgerKeyFor(database).read(false);
  const vkey = await control.ledgerKey();
  const [name, id] = vkey?.split('+') ?? [];
  if (!key || name === undefined || vkeyOf(name, key) !== vkey) {
    throw new PawlError(
      'Unavailable',
      `The ledger's key at ${ledgerKeyPath(database)} cannot be read, or is another.`,
      {
        hint: 'Put it back from a backup, or from the machine that signs the ledger. Without it nothing can be sealed.',
      },
    );
  }
  return { name, keyId: `${name}+${id}`, sign: async (bytes) => sign(null, bytes, key) };
};
