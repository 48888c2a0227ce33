import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../../infra/setup/command.mjs';
import { lastLine } from '../../infra/setup/test-counts.ts';

test('the last line counts what passed, failed and was skipped', () => {
  expect(lastLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(lastLine({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped');
});

/** Runs real tests in a process of their own, and answers with the counts. */
const countsOf = async (files: Record<string, string>): Promise<unknown> => {
  const state = resolve(import.meta.dirname, '../../.pawl');
  mkdirSync(state, { recursive: true });
  const root = mkdtempSync(join(state, 'test-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(join(root, name), `import { expect, test } from 'vitest';\n${body}`);
  }
  const reporter = JSON.stringify(new URL('../../infra/setup/test-counts.ts', import.meta.url).href);
  const script = `
    import { startVitest } from 'vitest/node';
    import { countsReporter } from ${reporter};
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const vitest = await startVitest('test', [], { root: ${JSON.stringify(root)}, config: false, watch: false, reporters: [countsReporter(counts)] });
    await vitest.close();
    console.log(JSON.stringify(counts));
    process.exit(0);`;
  const { output } = await runCommand(process.execPath, ['--input-type=module-typescript', '-e', script], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {},
  });
  return JSON.parse(output.split('\n').findLast((line) => line.startsWith('{')) ?? 'null');
};

test('each test counts once, and what only looks like success does not', async () => {
  const counts = await countsOf({
    'some.test.ts': `test('a', () => {}); test('b', () => expect(1).toBe(2)); test.skip('c', () => {}); test.todo('d');`,
    'broken.test.ts': `import './nowhere.ts'; test('never loaded', () => {});`,
    'late.test.ts': `test('ends before its error', () => { setTimeout(() => { throw new Error('late'); }); });`,
  });
  expect(counts).toEqual({ passed: 2, failed: 3, skipped: 2 });
});

test('no tests are no success', async () => {
  expect(await countsOf({ 'empty.test.ts': '' })).toMatchObject({ passed: 0, failed: 1 });
});
