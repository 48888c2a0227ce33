/** A model from a folder on this machine. */
import { mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { Fetched, Tell } from './fetching.ts';
import { isModelFile, longest, refuseIncomplete } from './model-files.ts';
import { noPlainFile, openPlain, writePlain } from './plain-file.ts';

export const fetchFolder = async (folder: string, into: string, tell: Tell): Promise<Fetched> => {
  const root = await realpath(folder).catch(() => null);
  if (root === null || !(await stat(root)).isDirectory()) {
    throw new PawlError('NotFound', `There is no folder ${folder}`, {
      hint: 'Name the folder that holds config.json, tokenizer.json and model.safetensors.',
    });
  }
  const paths = await pathsBelow(root);
  refuseIncomplete(folder, paths);
  for (const path of paths.filter(isModelFile)) {
    tell(`copying ${path}`);
    await mkdir(dirname(join(into, path)), { recursive: true });
    const file = await openPlain(join(root, path));
    await writePlain(file.createReadStream({ highWaterMark: 1 << 20 }), join(into, path), longest(path));
  }
  return { name: basename(root), source: { from: 'folder', folder: root } };
};

/** Two levels are all that a model has. A linked folder is not gone into. */
const pathsBelow = async (root: string): Promise<string[]> => {
  const entries = await readdir(root, { withFileTypes: true });
  const linked = entries.find((entry) => entry.isSymbolicLink() && isModelFile(`${entry.name}/config.json`));
  if (linked) throw noPlainFile(join(root, linked.name), 'a link');
  const inside = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readdir(join(root, name), { withFileTypes: true }));
  return [...entries, ...(await Promise.all(inside)).flat()]
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)).replaceAll(sep, '/'))
    .sort();
};
