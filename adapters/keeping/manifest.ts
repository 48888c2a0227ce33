/** What a backup holds, so that it can be told from what is left of one. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';

/** The tree of a home lies in this folder of the backup, as it is to lie when it is restored. */
export const TREE = 'home';
export const MANIFEST = 'manifest.json';
/** The digest of the manifest, in the form that `sha256sum -c` reads. */
export const MANIFEST_DIGEST = 'manifest.sha256';

/** A name in the tree: it leads nowhere else, on no system. */
const inside = z
  .string()
  .regex(/^[^\\:\0]+$/)
  .refine((path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'));

const manifest = z.object({
  format: z.literal('pawl-backup/1'),
  madeAt: z.iso.datetime(),
  home: z.string(),
  /** Schema versions of the databases. */
  schema: z.object({ control: z.int(), metrics: z.int().nullable() }),
  ledger: z.object({ rows: z.int(), checkpoint: z.string().nullable() }),
  temporal: z.enum(['inside', 'elsewhere']),
  keys: z.boolean(),
  /** Artifacts that are named and could not be copied. */
  missing: z.array(z.string()),
  /** Files that pawl.yaml names and that lie outside the home. */
  outside: z.array(z.string()),
  files: z.array(z.object({ path: inside, bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
export type Manifest = z.infer<typeof manifest>;

export const digestOfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

export const manifestText = (content: Manifest): { text: string; line: string } => {
  const text = `${JSON.stringify(content, null, 1)}\n`;
  return { text, line: `${createHash('sha256').update(text).digest('hex')}  ${MANIFEST}\n` };
};

const unusable = (what: string): PawlError =>
  new PawlError('DigestMismatch', what, {
    hint: 'This backup is damaged; nothing was written. Take another one, or copy it anew from where it was kept.',
  });

/** Reads the manifest, and holds every file that it names against its digest. */
export const checkedBackup = async (
  backup: string,
  tell: (line: string) => void = () => undefined,
): Promise<Manifest> => {
  const found = await readManifest(backup);
  for (const [n, { path, bytes, sha256 }] of found.files.entries()) {
    if (n % 100 === 0) tell(`${n} of ${found.files.length} files checked`);
    const file = join(backup, TREE, path);
    const there = await stat(file).catch(() => null);
    if (!there?.isFile()) throw unusable(`${file} is missing.`);
    if (there.size !== bytes || (await digestOfFile(file)) !== sha256) {
      throw unusable(`${file} does not hold what was backed up.`);
    }
  }
  return found;
};

const readManifest = async (backup: string): Promise<Manifest> => {
  const path = join(backup, MANIFEST);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PawlError('NotFound', `${path} cannot be read.`, {
      hint: 'Name the folder that `pawl backup` made. One whose name ends in .tmp was never completed.',
      cause,
    });
  });
  const line = await readFile(join(backup, MANIFEST_DIGEST), 'utf8').catch(() => '');
  if (line === '') throw unusable(`${join(backup, MANIFEST_DIGEST)} is missing.`);
  if (line !== `${createHash('sha256').update(text).digest('hex')}  ${MANIFEST}\n`) {
    throw unusable(`${path} and ${join(backup, MANIFEST_DIGEST)} disagree.`);
  }
  const parsed = manifest.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PawlError('ConfigInvalid', `${path}: ${issue?.path.join('.')}: ${issue?.message}`, {
    hint: 'It was made by another version of Pawl, or by somebody else. Nothing was written.',
  });
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
