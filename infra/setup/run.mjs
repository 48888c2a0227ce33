/**
 * `node infra/setup/run.mjs [entry.ts [arguments]]`: installs what is missing, then runs the entry on Node 24.
 * It runs on Node 20 without any dependency, so that `npm start` works on a machine that has nothing else.
 */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled } from './installed.mjs';
import { projectNode } from './node.mjs';
import { SetupError } from './setup-error.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const [entry, ...args] = process.argv.slice(2);

const node = await prepare();
if (node !== undefined && entry !== undefined) await run(node, resolve(root, entry), args);

async function prepare() {
  try {
    await ensureInstalled(root);
    return projectNode(root);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n${error.hint}\n`);
    process.exitCode = error.exitCode;
    return undefined;
  }
}

/**
 * In this very process where it already runs on the right Node: that saves a process and its start.
 * @param {string} program @param {string} file @param {readonly string[]} rest
 */
async function run(program, file, rest) {
  if (isRunningOn(program)) {
    process.argv.splice(1, process.argv.length - 1, file, ...rest);
    await import(pathToFileURL(file).href);
  } else {
    runApart(program, [file, ...rest]);
  }
}

/** @param {string} program */
function isRunningOn(program) {
  try {
    return realpathSync(program) === realpathSync(process.execPath);
  } catch {
    // npm ci has just replaced the Node that runs this.
    return false;
  }
}

/** @param {string} program @param {readonly string[]} argv */
function runApart(program, argv) {
  const child = spawn(program, argv, { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child by itself; this process only has to outlive it.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(
      `Node could not be started: ${error.message}\nRun \`npm ci\` in ${root}, or install Node 24.\n`,
    );
    process.exitCode = 12;
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 1)));
}
