/**
 * 32 secret bytes of a home, in a file of its own beside the private keys, for nobody but its owner to read.
 *
 * 1. It is made with the first use, by whichever process comes first, and never changed.
 * 2. It is in no backup without the keys.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';

const BYTES = 32;

/** `without` says what another secret in its place would mean. */
export const homeSecret = (path: string, without: string): (() => Buffer) => {
  let secret: Buffer | null = null;
  return () => {
    secret ??= secretThere(path, without) ?? made(path, without);
    return secret;
  };
};

/** null where there is no file; one that holds anything else is an error. */
export const secretThere = (path: string, without: string): Buffer | null => {
  try {
    const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
    if (secret.length === BYTES) return secret;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PawlError('Unavailable', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw new PawlError('ConfigInvalid', `${path} does not hold ${BYTES} bytes in base64.`, {
    hint: `Put it back from where the keys are kept: ${without}`,
  });
};

const made = (path: string, without: string): Buffer => {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${randomBytes(BYTES).toString('base64')}\n`, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(temporary, path); // Fails where another process was faster.
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new PawlError('Unavailable', `${path} cannot be made: ${(cause as Error).message}`, { cause });
    }
  } finally {
    rmSync(temporary, { force: true });
  }
  const secret = secretThere(path, without);
  if (secret) return secret;
  throw new PawlError('Unavailable', `${path} was removed while it was made.`);
};
