import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

interface Check {
  readonly name: string;
  readonly state: string;
}

test('the package installs elsewhere, without any install script, and its doctor runs', async () => {
  const folder = temporaryFolder();
  await run(process.execPath, [join(root, 'infra/pack/pack.ts'), '--to', folder]);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', './pawl-0.1.0.tgz'], {
    cwd: folder,
  });

  // It finds much to complain about in an empty folder, so its exit code is not 0; what it prints is what counts.
  const pawl = join(folder, 'node_modules', '.bin', 'pawl');
  const { stdout } = await run(pawl, ['doctor', '--json'], { cwd: folder }).catch((error: { stdout: string }) => error);
  const checks = JSON.parse(stdout) as Check[] | { checks: Check[] };
  const states = new Map((Array.isArray(checks) ? checks : checks.checks).map(({ name, state }) => [name, state]));
  expect(states.get('Node')).toBe('ok');
  expect(states.get('Store')).toBe('warning');
}, 300_000);
