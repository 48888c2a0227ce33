/**
 * What is kept of who asked: an HMAC under a secret of this home.
 *
 * 1. The same subject gives the same hash, so that what they asked can be found and erased.
 * 2. Without the secret nobody can try names against the log: it lies with the private keys, and in no backup without them.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';

const BYTES = 32;

export const subjectKeyPath = (keys: string): string => join(keys, 'subjects.key');

/** The secret is made with the first use, by whichever process comes first. */
export const subjectHasher = (keys: string): ((subject: string) => string) => {
  let secret: Buffer | null = null;
  return (subject) => {
    secret ??= present(subjectKeyPath(keys)) ?? made(subjectKeyPath(keys));
    return createHmac('sha256', secret).update(`pawl subject v1\n${subject}`).digest('hex');
  };
};

/** For who looks for a subject: a secret that is made only now has hashed nobody. */
export const subjectHasherThere = (keys: string): ((subject: string) => string) => {
  if (present(subjectKeyPath(keys))) return subjectHasher(keys);
  throw new PawlError('NotFound', `There is no ${subjectKeyPath(keys)}, so no subject can be recognised.`, {
    hint: 'Put it back from where the keys are kept, or look for the texts with --query-text or --match.',
  });
};

const present = (path: string): Buffer | null => {
  try {
    const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
    if (secret.length === BYTES) return secret;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PawlError('Unavailable', `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw new PawlError('ConfigInvalid', `${path} does not hold ${BYTES} bytes in base64.`, {
    hint: 'Put it back from where the keys are kept: another secret would not find what was logged under this one.',
  });
};

const made = (path: string): Buffer => {
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
  const secret = present(path);
  if (secret) return secret;
  throw new PawlError('Unavailable', `${path} was removed while it was made.`);
};
