/**
 * `npm run package`: the tarball that others install. Node refuses TypeScript under node_modules, so the package carries
 * JavaScript: the same files with their types blanked out, line for line, and with `.js` in their imports.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '../..');
const SOURCES = [
  'contracts/**/*.ts',
  'domain/**/*.ts',
  'ml/**/*.ts',
  'workflows/**/*.ts',
  'activities/**/*.ts',
  'adapters/**/*.ts',
  'check/**/*.ts',
  'drills/**/*.ts',
  'gateway/**/*.ts',
  'cli/**/*.ts',
  'workers/**/*.ts',
  'schedules/**/*.ts',
  'infra/{setup,temporal,up,doctor}/**/*.ts',
];
/** What only a checkout needs. */
const LEFT_OUT = new Set(['infra/setup/test.ts', 'infra/setup/verify.ts', 'infra/setup/test-counts.ts']);
const AS_THEY_ARE = [
  'infra/setup/*.mjs',
  'infra/setup/test-server/**/*',
  'infra/policies/**/*.*',
  'docs/**/*.md',
  'README.md',
];
/** An import, or the path of a file that is started or bundled. */
const RELATIVE_TS = /(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g;

const pack = (destination: string): string => {
  const staging = join(root, '.pawl', 'package');
  rmSync(staging, { recursive: true, force: true });
  for (const file of globSync(SOURCES, { cwd: root })) {
    if (LEFT_OUT.has(file)) continue;
    const code = stripTypeScriptTypes(readFileSync(join(root, file), 'utf8')).replaceAll(RELATIVE_TS, '$1$2.js$1');
    write(join(staging, file.replace(/\.ts$/, '.js')), code);
  }
  for (const file of globSync(AS_THEY_ARE, { cwd: root })) cpSync(join(root, file), join(staging, file));
  write(join(staging, 'bin/pawl.mjs'), BIN);
  write(join(staging, 'package.json'), JSON.stringify(manifest(), null, 2));
  mkdirSync(destination, { recursive: true });
  const printed = execFileSync('npm', ['pack', '--json', '--pack-destination', destination], { cwd: staging });
  const [{ filename }] = JSON.parse(String(printed)) as [{ filename: string }];
  return join(destination, filename);
};

const manifest = () => {
  const { name, version, description, type, engines, dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return {
    name,
    version,
    description,
    type,
    engines,
    bin: { pawl: 'bin/pawl.mjs' },
    dependencies,
    optionalDependencies,
  };
};

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

/** Runs on the Node that is there, and hands over to the one that the package brings. */
const BIN = `#!/usr/bin/env node
process.argv.splice(2, 0, 'cli/main.js');
await import('../infra/setup/run.mjs');
`;

const { values } = parseArgs({ options: { to: { type: 'string', default: join(root, '.pawl') } } });
process.stdout.write(`${pack(resolve(values.to))}\n`);
