/**
 * What is kept of who asked: an HMAC under a secret of this home.
 *
 * 1. The same subject gives the same hash, so that what they asked can be found and erased.
 * 2. Without the secret nobody can try names against the log: it lies with the private keys, and in no backup without them.
 */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { homeSecret, secretThere } from './home-secret.ts';

const WITHOUT = 'another secret would not find what was logged under this one.';

export const subjectKeyPath = (keys: string): string => join(keys, 'subjects.key');

export const subjectHasher = (keys: string): ((subject: string) => string) => {
  const secret = homeSecret(subjectKeyPath(keys), WITHOUT);
  return (subject) => createHmac('sha256', secret()).update(`pawl subject v1\n${subject}`).digest('hex');
};

/** For who looks for a subject: a secret that is made only now has hashed nobody. */
export const subjectHasherThere = (keys: string): ((subject: string) => string) => {
  if (secretThere(subjectKeyPath(keys), WITHOUT)) return subjectHasher(keys);
  throw new PawlError('NotFound', `There is no ${subjectKeyPath(keys)}, so no subject can be recognised.`, {
    hint: 'Put it back from where the keys are kept, or look for the texts with --query-text or --match.',
  });
};

/** By it a shared log knows the secret again, and nobody else learns anything of it. null where the home has none yet. */
export const subjectMarkThere = (keys: string): string | null =>
  secretThere(subjectKeyPath(keys), WITHOUT) ? subjectHasher(keys)('\0the mark of this secret') : null;
