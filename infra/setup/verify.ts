/** `npm run verify`: format and lint with the direction of imports, types, dead code, then the tests. All are run, also after one that fails. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const WITHOUT_TESTS = '--without-tests';

const checks = [
  { name: 'Format, lint, boundaries', command: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'Types', command: 'tsc', args: ['-p', '.'] },
  { name: 'Dead code', command: 'knip', args: [] },
];
const tests = { name: 'Tests', command: 'npm', args: ['test', '--silent'] };

const failed: string[] = [];
for (const { name, command, args } of process.argv.includes(WITHOUT_TESTS) ? checks : [...checks, tests]) {
  process.stdout.write(`— ${name}\n`);
  const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  const [code] = await once(child, 'exit');
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) process.stderr.write(`Failed: ${failed.join('; ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
