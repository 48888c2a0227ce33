/** Brings node_modules in step with package-lock.json, once, however many commands start at the same time. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.mjs';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';
import { SetupError } from './setup-error.mjs';

/** @param {string} root */
export async function ensureInstalled(root) {
  // A package that npm installed has no lockfile: npm has seen to its dependencies.
  if (!existsSync(join(root, 'package-lock.json')) || isInStep(root)) return;
  await withLock(
    join(root, '.pawl', 'install.lock'),
    async () => {
      if (isInStep(root)) return;
      await withProgress('Installing the dependencies (npm ci)', (detail) => npmCi(root, detail));
      writeStamp(root);
    },
    sayOnce((holder) => `Waiting for process ${holder.pid}, which is installing the dependencies.\n`),
  );
}

/** @param {string} root @param {(line: string) => void} onLine */
async function npmCi(root, onLine) {
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const ended = await runCommand('npm', args, { cwd: root, shell: process.platform === 'win32', onLine });
  if (ended.failed) {
    throw new SetupError(
      `The dependencies could not be installed: ${ended.failed}.\n${ended.output}`,
      `See that \`npm ping\` reaches your registry and that the disk has room, then run \`npm ci\` in ${root}.`,
    );
  }
}

/**
 * The stamp answers in a millisecond. Without one (someone ran `npm ci` by hand) npm's own record of what it installed
 * is compared with the lockfile, and the stamp is written.
 * @param {string} root
 */
export function isInStep(root) {
  if (readIfThere(stampFile(root)) === digestOf(root)) return true;
  const installed = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null || !holdsAll(JSON.parse(installed), JSON.parse(lockfile(root)))) return false;
  writeStamp(root);
  return true;
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }} Entry */
/** @typedef {{ packages: Record<string, Entry> }} Lockfile */

/** @param {Lockfile} installed @param {Lockfile} wanted */
function holdsAll(installed, wanted) {
  const same = (/** @type {Entry | undefined} */ a, /** @type {Entry | undefined} */ b) =>
    a?.version === b?.version && a?.integrity === b?.integrity;
  const nothingMissing = Object.entries(wanted.packages).every(([path, entry]) => {
    const found = installed.packages[path];
    return path === '' || (found ? same(found, entry) : entry.optional || entry.devOptional);
  });
  return nothingMissing && Object.keys(installed.packages).every((path) => path in wanted.packages);
}

/** @param {string} root */
function writeStamp(root) {
  try {
    writeFileSync(stampFile(root), digestOf(root));
  } catch (error) {
    // A checkout that cannot be written to only loses the short cut.
    if (!(error instanceof Error && 'code' in error && ['EACCES', 'EROFS', 'EPERM'].includes(String(error.code))))
      throw error;
  }
}

const stampFile = (/** @type {string} */ root) => join(root, 'node_modules', '.pawl-installed');
const lockfile = (/** @type {string} */ root) => readFileSync(join(root, 'package-lock.json'), 'utf8');
const digestOf = (/** @type {string} */ root) =>
  createHash('sha256')
    .update(`${process.platform} ${process.arch}\n${lockfile(root)}`)
    .digest('hex');

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * @template T
 * @param {(subject: T) => string} sentence
 * @returns {(subject: T) => void}
 */
function sayOnce(sentence) {
  let said = false;
  return (subject) => {
    if (!said) process.stderr.write(sentence(subject));
    said = true;
  };
}
