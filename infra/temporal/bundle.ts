/**
 * The workflow bundle, built once for each state of the code and shared by every process that needs it.
 * The digest covers every file that can end up in a bundle, so an old bundle is never taken for a new one.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { PawlError } from '../../contracts/failures.ts';
import { withLock } from '../setup/lock.mjs';
import { withProgress } from '../setup/progress.mjs';
import { payloadConverterPath } from './data-converter.ts';

const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const SOURCES = ['workflows/**', 'domain/**', 'contracts/**', 'package-lock.json'];
const KEPT = 5;

const CACHE = join(root, '.pawl', 'cache');
/** The packed program is JavaScript: its workflows have the extension that this file has. */
const WORKFLOWS = join(root, 'workflows', `index${extname(import.meta.filename)}`);

/** Whether a worker that starts now finds its bundle. */
export const isBundled = (): boolean => existsSync(fileIn(CACHE, WORKFLOWS));

/** Path of the bundle, for `Worker.create({ workflowBundle: { codePath } })`. */
export async function workflowBundle(cache: string = CACHE, workflowsPath: string = WORKFLOWS): Promise<string> {
  const present = fileIn(cache, workflowsPath);
  if (existsSync(present)) return present;
  return withLock(join(cache, 'bundle.lock'), async () => {
    const file = await build(cache, workflowsPath);
    forgetOld(cache);
    return file;
  });
}

/** Code that changes while it is bundled is bundled again: what came of it would belong to neither state of the code. */
async function build(cache: string, workflowsPath: string): Promise<string> {
  const file = fileIn(cache, workflowsPath);
  if (existsSync(file)) return file;
  const code = await withProgress('Bundling the workflows', () => bundle(workflowsPath));
  if (fileIn(cache, workflowsPath) !== file) return build(cache, workflowsPath);
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, code);
  renameSync(temporary, file);
  return file;
}

async function bundle(workflowsPath: string): Promise<string> {
  const said: string[] = [];
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
    logger: new DefaultLogger('WARN', ({ message }) => said.push(message)),
  }).catch((cause: unknown) => {
    const because = /^ERROR in .*\n.*/m.exec(said.join('\n'))?.[0] ?? String(cause);
    throw new PawlError('Internal', `The workflows cannot be bundled: ${because}`, {
      hint: 'Workflows may import only contracts/, domain/ and other workflows; `npm run lint` names the import.',
      cause,
    });
  });
  return code;
}

const fileIn = (cache: string, workflowsPath: string): string => join(cache, `workflows-${digestOf(workflowsPath)}.js`);

function digestOf(workflowsPath: string): string {
  const hash = createHash('sha256').update(workflowsPath.replace(root, ''));
  const files = globSync(SOURCES, { cwd: root }).sort();
  for (const file of [...files.map((name) => join(root, name)), workflowsPath]) {
    if (!statSync(file).isFile()) continue;
    hash.update(`\0${file.replace(root, '')}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Bundles of older code; one that a worker has read already is not needed on disk any more. */
function forgetOld(cache: string): void {
  const bundles = readdirSync(cache).filter((name) => /^workflows-[0-9a-f]+\.js$/.test(name));
  const age = (name: string): number => statSync(join(cache, name)).mtimeMs;
  for (const name of bundles.sort((a, b) => age(b) - age(a)).slice(KEPT)) rmSync(join(cache, name), { force: true });
}
