/**
 * Documents out of files: JSON lines hold many, every other file is one.
 *
 * Links are not followed, and what begins with a dot is left alone: a folder is read, not what it points to.
 */
import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, relative, sep } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { DocumentFormat, SourceDocument } from '../../contracts/retrieval.ts';
import { parseDocuments } from './corpus-task.ts';

const MOST_BYTES = 1_000_000;
const LINES = new Set(['.jsonl', '.ndjson']);
const CODE =
  '.c .cc .cpp .cs .css .go .h .hpp .java .js .json .jsx .kt .lua .mjs .cjs .php .proto .py .rb .rs .scala .sh .sql .swift .toml .ts .tsx .yaml .yml';
const FORMATS: ReadonlyMap<string, DocumentFormat> = new Map([
  ...['.md', '.markdown', '.mdx'].map((extension) => [extension, 'markdown'] as const),
  ...['.txt', '.text', '.rst', '.adoc', '.log', '.csv', '.tsv'].map((extension) => [extension, 'text'] as const),
  ...CODE.split(' ').map((extension) => [extension, 'code'] as const),
]);
const SKIPPED_FOLDERS = new Set(['node_modules', '__pycache__']);

export interface FoundDocuments {
  readonly documents: SourceDocument[];
  /** Files that were left out, and why. */
  readonly skipped: Array<{ readonly file: string; readonly because: string }>;
}

/** Ids are paths as seen from `root`, so that the same file gives the same document again. */
export function documentsIn(paths: readonly string[], root: string): FoundDocuments {
  const found: FoundDocuments = { documents: [], skipped: [] };
  for (const path of paths) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) {
      throw new PawlError('NotFound', `There is no file or folder ${path}.`, { hint: 'Nothing was added.' });
    }
    if (stat.isDirectory()) for (const file of filesBelow(path)) take(found, file, root, false);
    else take(found, path, root, true);
  }
  return found;
}

function* filesBelow(folder: string): Generator<string> {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (isLeftAlone(entry)) continue;
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

const isLeftAlone = ({ name }: Dirent): boolean => name.startsWith('.') || SKIPPED_FOLDERS.has(name);

/** `named`: a person asked for this very file, so its ending does not matter. */
function take({ documents, skipped }: FoundDocuments, file: string, root: string, named: boolean): void {
  const ending = extname(file).toLowerCase();
  if (LINES.has(ending)) {
    documents.push(...parseDocuments({ name: file, text: readFileSync(file, 'utf8') }));
    return;
  }
  const format = FORMATS.get(ending) ?? (named ? 'text' : null);
  const text = format === null || lstatSync(file).size > MOST_BYTES ? null : readFileSync(file, 'utf8');
  if (format === null) skipped.push({ file, because: 'its ending is not that of a text' });
  else if (text === null) skipped.push({ file, because: `it is larger than ${MOST_BYTES / 1_000_000} MB` });
  else if (text.includes('\0')) skipped.push({ file, because: 'it is not a text' });
  else {
    const id = relative(root, file).split(sep).join('/');
    documents.push({ id, title: titleOf(text, format) ?? basename(file), text, format, metadata: { path: id } });
  }
}

/** The first heading of Markdown. */
const titleOf = (text: string, format: DocumentFormat): string | null =>
  (format === 'markdown' && /^#\s+(.{1,300}?)\s*#*\s*$/m.exec(text.slice(0, 10_000))?.[1]) || null;
