import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SecretReference } from '../../contracts/config-values.ts';
import { PawlError } from '../../contracts/failures.ts';

/** Where the secrets of this process are: its environment, and files beside pawl.yaml. */
export interface SecretPlaces {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

/** What a reference means here. No error tells more of the secret than its name. */
export const readSecret = async (reference: SecretReference, { variables, folder }: SecretPlaces): Promise<string> => {
  if ('env' in reference) {
    const value = variables[reference.env];
    if (value) return value;
    throw new PawlError('ConfigInvalid', `The variable ${reference.env} holds no secret where the worker runs.`, {
      hint: 'Set it for `pawl up` or `pawl worker control`, and start them again.',
    });
  }
  const path = resolve(folder, reference.file);
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new PawlError('ConfigInvalid', `The secret in ${path} cannot be read: ${error.code}.`, {
      hint: 'Let the user that runs the worker read it.',
    });
  });
};
