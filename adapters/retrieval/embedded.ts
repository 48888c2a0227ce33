/** Indexes on the local disk: `<service>/<digest of the recipe>` is the folder of one. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { SERVICE_NAME } from '../../contracts/ids.ts';
import { isDamaged } from '../sqlite/store-failure.ts';
import { type EmbeddedOptions, openEmbeddedIndex } from './embedded-index.ts';
import { databasePath } from './index-file.ts';
import type { ChunkIndexes } from './port.ts';

const DIGEST = /^[0-9a-f]{1,64}$/;

export function embeddedIndexes(folder: string, options: EmbeddedOptions = {}): ChunkIndexes {
  const ofService = (service: string): string => join(folder, checked('service', service, SERVICE_NAME));
  const folderOf = (service: string, digest: string): string =>
    join(ofService(service), checked('digest', digest, DIGEST));
  return {
    async open(recipe) {
      const file = { folder: folderOf(recipe.service, recipe.digest), recipe };
      try {
        return await openEmbeddedIndex(file, options);
      } catch (error) {
        if (!isDamaged(error)) throw error;
        // It holds nothing that the documents do not: it begins anew.
        await rm(file.folder, { recursive: true, force: true });
        return openEmbeddedIndex(file, options);
      }
    },

    async list(service) {
      const there = existsSync(ofService(service)) ? readdirSync(ofService(service)) : [];
      return there.filter((name) => DIGEST.test(name) && existsSync(databasePath(folderOf(service, name)))).sort();
    },

    async remove(service, digest) {
      const there = folderOf(service, digest);
      // Gone in one step: no half of it is ever opened.
      const going = `${there}.${randomUUID()}.tmp`;
      if (!existsSync(there)) return;
      await rename(there, going);
      await rm(going, { recursive: true, force: true });
    },
  };
}

/** Names become folders. */
function checked(what: string, name: string, pattern: RegExp): string {
  if (pattern.test(name)) return name;
  throw new PawlError('Usage', `${JSON.stringify(name)} is no ${what} that an index can have`, {
    hint: `Expected ${pattern}.`,
  });
}
