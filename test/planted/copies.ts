/** Copies of the product's code with a bug in them, inside the project so that its packages resolve from there. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '../..');
const home = join(root, '.pawl', 'planted');
const FOLDERS = ['activities', 'adapters', 'contracts', 'domain', 'gateway', 'infra', 'ml', 'workers', 'workflows'];

/** What stands in a file, in one place, and what stands there instead. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Code {
  readonly folder: string;
  /** A module of it, by its path in the project. */
  load<M>(file: string): Promise<M>;
  remove(): void;
}

export const codeWith = (edits: readonly Edit[]): Code => {
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(join(home, 'code-'));
  for (const name of FOLDERS) cpSync(join(root, name), join(folder, name), { recursive: true });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    for (const edit of edits) plant(folder, edit);
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, load: (file) => import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href), remove };
};

/** Where the code has moved on, the plant has to follow it. */
const plant = (folder: string, { file, from, to }: Edit): void => {
  const path = join(folder, file);
  const [before, after, ...more] = readFileSync(path, 'utf8').split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${after === undefined ? 'No place' : `${more.length + 1} places`} in ${file} hold: ${from}`);
  }
  writeFileSync(path, before + to + after);
};
