/**
 * The key that signs the ledger's heads: `keys/ledger.pem` beside the store's database. It says 'this store wrote it', no
 * more; a person's consent is signed by the person's own key.
 *
 * 1. It is made once, whole or not at all, by whichever process comes first, and never overwritten.
 * 2. A key that cannot be had never stops a change: the store then writes heads without a signature, and a verification
 *    says so. A kill must not wait for a signature.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface LedgerKey {
  /** The key as the file holds it now; made where there is none and one may be made. null where it cannot be had. */
  read(mayMake?: boolean): KeyObject | null;
}

export const ledgerKeyPath = (database: string): string => join(dirname(database), 'keys', 'ledger.pem');

/** A store in memory signs with a key that ends with it. */
export const ledgerKeyFor = (database: string): LedgerKey => {
  if (database === ':memory:') {
    const { privateKey } = generateKeyPairSync('ed25519');
    return { read: () => privateKey };
  }
  const path = ledgerKeyPath(database);
  return {
    read: (mayMake = true) => {
      const key = present(path);
      if (key !== undefined) return key;
      return mayMake ? makeLedgerKey(path) : null;
    },
  };
};

/** undefined: there is no file, so one may be made. */
const present = (path: string): KeyObject | null | undefined => {
  try {
    const key = createPrivateKey(readFileSync(path));
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null;
  }
};

/** The key that is there afterwards: this one, or that of a process that was faster. */
export const makeLedgerKey = (path: string): KeyObject | null => {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    write(temporary, pem);
    // Fails where another process was faster, and nobody ever reads half a key.
    linkSync(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') exclusively(path, pem); // A disk without links.
  } finally {
    rmSync(temporary, { force: true });
  }
  return present(path) ?? null;
};

const write = (path: string, pem: string | Buffer): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, pem.toString());
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

const exclusively = (path: string, pem: string | Buffer): void => {
  try {
    write(path, pem);
  } catch {
    // Another process was faster, or nothing can be written here: what can be read decides.
  }
};
