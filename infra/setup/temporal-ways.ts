import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.mjs';
import type { Environment } from './environment.ts';
import { withProgress } from './progress.mjs';
import { CLI_RELEASE } from './temporal-version.ts';

/** A way answers with a path, or with a sentence on why it leads nowhere. */
export type Attempt = { readonly path: string } | { readonly because: string };

/** Without a first byte by then the machine is offline; with one, a slow line may take its time. */
const FIRST_BYTE_MS = 10_000;
const DOWNLOAD_MS = 300_000;

const program = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const home = ({ cache }: Environment): string => join(cache, 'temporal', CLI_RELEASE);

export function onPath({ path }: Environment): Attempt {
  const found = path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
  return found ? { path: found } : { because: 'there is none' };
}

export function cachedBinary(environment: Environment): Attempt {
  const path = join(home(environment), program);
  return existsSync(path) ? { path } : { because: `there is no ${path}` };
}

/** The SDK fetches the CLI. It does so in a process of its own, because a stuck download cannot be cancelled in it. */
export async function download(
  environment: Environment,
  script = `temporal-download${extname(import.meta.filename)}`,
): Promise<Attempt> {
  return inNewFolder(environment, async (folder) => {
    const giveUp = new AbortController();
    const noByte = setTimeout(() => readdirSync(folder).length === 0 && giveUp.abort(), FIRST_BYTE_MS);
    const entry = join(dirname(fileURLToPath(import.meta.url)), script);
    const ended = await withProgress(`Downloading Temporal ${CLI_RELEASE}`, () =>
      runCommand(process.execPath, [entry, folder, `v${CLI_RELEASE}`], {
        env: environment.variables,
        timeoutMs: DOWNLOAD_MS,
        signal: giveUp.signal,
      }),
    );
    clearTimeout(noByte);
    if (giveUp.signal.aborted) return { because: `nothing came within ${FIRST_BYTE_MS / 1_000} s` };
    const file = readdirSync(folder).find((name) => !name.endsWith('.downloading'));
    // It counts as downloaded even if the SDK could not start it: the version check that follows says why.
    return file ? { path: join(folder, file) } : { because: lastLine(ended.output) ?? ended.failed ?? 'no file came' };
  });
}

export async function buildWithGo(environment: Environment): Promise<Attempt> {
  return inNewFolder(environment, async (folder) => {
    const title = `Building Temporal ${CLI_RELEASE} with Go (about four minutes, only this once)`;
    const ended = await withProgress(title, (detail) =>
      runCommand('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${CLI_RELEASE}`], {
        env: { ...environment.variables, GOBIN: folder },
        onLine: detail,
      }),
    );
    if (!ended.failed) return { path: join(folder, program) };
    return { because: [ended.failed, ended.output].filter(Boolean).join('\n    ') };
  });
}

/** What `work` makes in its folder moves to the cache as a whole. */
async function inNewFolder(environment: Environment, work: (folder: string) => Promise<Attempt>): Promise<Attempt> {
  mkdirSync(home(environment), { recursive: true });
  const folder = mkdtempSync(join(environment.cache, 'temporal', 'new-'));
  try {
    const attempt = await work(folder);
    if ('because' in attempt) return attempt;
    const path = join(home(environment), program);
    renameSync(attempt.path, path);
    return { path };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const lastLine = (text: string): string | undefined => text.split('\n').findLast((line) => line.trim());
