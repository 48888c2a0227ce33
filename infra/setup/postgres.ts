import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from './environment.ts';

/** Debian keeps the server's programs out of PATH, in a folder for each version. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder with `initdb` and `postgres`, for tests that start a server of their own; Pawl itself only needs an address. */
export const resolvePostgres = async ({ path }: Pick<Environment, 'path'>): Promise<string> => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...path.split(delimiter), ...versions.map((version) => join(DEBIAN, version, 'bin'))];
  const found = folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
  if (found !== undefined) return found;
  throw new PawlError('SetupFailed', `Neither PATH nor ${DEBIAN} has initdb and postgres.`, {
    hint: 'Get it with `apt-get install postgresql`, and run it again.',
  });
};
