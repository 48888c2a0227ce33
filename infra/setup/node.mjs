import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './setup-error.mjs';

const NEEDED_MAJOR = 24;

/**
 * The Node that runs Pawl: the one among its dependencies, or else the running one where that is new enough.
 * @param {string} root
 * @param {{ platform: string, arch: string, version: string, execPath: string }} [running]
 */
export function projectNode(
  root,
  running = {
    platform: process.platform,
    arch: process.arch,
    version: process.versions.node,
    execPath: process.execPath,
  },
) {
  const system = running.platform === 'win32' ? 'win' : running.platform;
  const program = running.platform === 'win32' ? 'node.exe' : 'node';
  const own = installedAbove(root, join(`node-${system}-${running.arch}`, 'bin', program));
  if (own !== null) return own;
  if (Number.parseInt(running.version, 10) >= NEEDED_MAJOR) return running.execPath;
  throw new SetupError(
    `Pawl runs on Node ${NEEDED_MAJOR}; this is Node ${running.version}, and no package brings Node ${NEEDED_MAJOR} for ${running.platform} ${running.arch}.`,
    `Install Node ${NEEDED_MAJOR} (https://nodejs.org, or \`nvm install ${NEEDED_MAJOR}\`) and run the command again.`,
  );
}

/**
 * Where Node itself would look: npm puts a dependency of an installed package beside it rather than below it.
 * @param {string} folder
 * @param {string} path
 * @returns {string | null}
 */
function installedAbove(folder, path) {
  const found = join(folder, 'node_modules', path);
  if (existsSync(found)) return found;
  return dirname(folder) === folder ? null : installedAbove(dirname(folder), path);
}
