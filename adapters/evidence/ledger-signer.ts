/** The ledger's key as a signer of statements: it says 'this store sealed it', as it says of every head. */
import { sign } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';
import type { ControlStore } from '../control/port.ts';
import { ledgerKeyFor, ledgerKeyPath } from '../keys/ledger-key.ts';
import { vkeyOf } from '../ledger/signed-note.ts';
import type { Signer } from './dsse.ts';

/** `database` is where the store lies; its key lies beside it. */
export const ledgerSigner = async (control: Pick<ControlStore, 'ledgerKey'>, database: string): Promise<Signer> => {
  const key = ledgerKeyFor(database).read();
  const [name] = (await control.ledgerKey())?.split('+') ?? [];
  if (!key || name === undefined) {
    throw new PawlError('Unavailable', `The ledger's key at ${ledgerKeyPath(database)} cannot be read.`, {
      hint: 'Put it back from a backup. Without it nothing can be sealed.',
    });
  }
  const [, id] = vkeyOf(name, key).split('+');
  return { name, keyId: `${name}+${id}`, sign: async (bytes) => sign(null, bytes, key) };
};
