/** The texts of the policies: those that Pawl brings, and those of a home. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SHIPPED_POLICIES = fileURLToPath(new URL('../../infra/policies/', import.meta.url));
const SCHEMA = 'schema.cedarschema';

export interface PolicyFile {
  /** As a person finds it: `policies/own.cedar` in the home, a bare name where Pawl brings it. */
  readonly name: string;
  readonly text: string;
}
export interface PolicyTexts {
  readonly schema: PolicyFile;
  readonly files: readonly PolicyFile[];
  /** sha256 over the names and texts of all of them, in this order: Pawl's by name, the home's by name, the schema. */
  readonly digest: string;
}

/** Pawl's own policies change with Pawl, and are read once; a home's are read at every use. */
export const policyReader = (shipped: string, own: string): (() => Promise<PolicyTexts>) => {
  let brought: Brought | null = null;
  return async () => {
    const [pawls, added] = await Promise.all([brought ?? readBrought(shipped), addedIn(own)]);
    brought = pawls;
    const { schema } = pawls;
    const files = [...pawls.files, ...added];
    const all = [...files, schema].map(({ name, text }) => [name, text]);
    return { schema, files, digest: createHash('sha256').update(JSON.stringify(all)).digest('hex') };
  };
};

type Brought = Pick<PolicyTexts, 'schema' | 'files'>;

const readBrought = async (folder: string): Promise<Brought> => ({
  schema: { name: SCHEMA, text: await readFile(join(folder, SCHEMA), 'utf8') },
  files: await policiesIn(folder, ''),
});

const addedIn = (folder: string): Promise<readonly PolicyFile[]> =>
  policiesIn(folder, 'policies/').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

const policiesIn = async (folder: string, prefix: string): Promise<readonly PolicyFile[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cedar')).sort();
  return Promise.all(
    names.map(async (name) => ({ name: `${prefix}${name}`, text: await readFile(join(folder, name), 'utf8') })),
  );
};
