/**
 * `ledger.vkey` in the home's root: the public key of the ledger's heads, kept in Git, away from the store. Whoever can
 * write the store could make a ledger of their own and sign it with a key of their own; they cannot make it this key.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { PawlError } from '../../contracts/failures.ts';
import { homePaths } from '../home.ts';
import { type NoteKey, readVkey } from './signed-note.ts';

/** null where there is none yet. */
export const readPinnedKey = async (path: string): Promise<NoteKey | null> => {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw new PawlError('Unavailable', `${path} cannot be read: ${cause.message}`, { cause });
  });
  if (text === null) return null;
  const key = readVkey(text);
  if (key) return key;
  throw new PawlError('ConfigInvalid', `${path} holds no key of a ledger (name+id+key on one line)`, {
    hint: 'Take the last good version of the file from Git.',
  });
};

/** Writes the key where no file is there yet. One that is there and says something else is never overwritten. */
export const pinLedgerKey = async (home: string, vkey: string): Promise<'made' | 'kept'> => {
  const path = homePaths(home).ledgerKey;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, `${vkey}\n`, { flag: 'wx' });
    await link(temporary, path); // Whole, or not at all: several processes start at the same moment.
    return 'made';
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new PawlError('Unavailable', `${path} cannot be written: ${message}`, { cause });
  } finally {
    await rm(temporary, { force: true });
  }
  const pinned = await readPinnedKey(path);
  if (pinned?.vkey === vkey) return 'kept';
  throw new PawlError('Refused', `The ledger of this home is signed with another key than ${path} names`, {
    hint:
      'Either .pawl/keys/ledger.pem was lost and made anew (then `pawl audit show --kind "ledger key changed"` tells when), ' +
      'or this is the store of another home, or somebody put a ledger of their own in its place. `pawl audit verify` ' +
      'says what it finds. Only when you know why: remove ledger.vkey, and `pawl init` writes the new one.',
  });
};
