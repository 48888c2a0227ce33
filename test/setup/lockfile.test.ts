import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { leftOut } from '../../infra/setup/lockfile.mjs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));

test('the lockfile names the optional packages of every platform (`npm run lock` adds them)', () => {
  expect(Object.keys(leftOut(packages))).toEqual([]);
});

test('what was left out is added for its platform only', () => {
  const thing = {
    version: '1.0.0',
    dev: true,
    optionalDependencies: { '@x/y-linux-x64-musl': '2.0.0', '@x/y-win32-arm64': '2.0.0' },
  };
  const there = { version: '2.0.0', optional: true };
  expect(leftOut({ 'node_modules/y': thing, 'node_modules/a/node_modules/@x/y-win32-arm64': there })).toEqual({
    'node_modules/@x/y-linux-x64-musl': {
      version: '2.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    },
  });
});

test('the lockfile and package.json want the same, in exact versions', () => {
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    expect(packages[''][kind]).toEqual(manifest[kind]);
    for (const version of Object.values(manifest[kind])) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test('70 what is installed is what the lockfile names, each package with its digest', () => {
  const installed = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages;
  for (const [path, { integrity }] of Object.entries<{ integrity?: string }>(installed)) {
    expect(packages[path]?.integrity, path).toBe(integrity);
    expect(integrity, path).toMatch(/^sha512-/);
  }
});
