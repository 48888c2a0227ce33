import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

const newHome = async (): Promise<string> => {
  const home = await folderWithData();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
};

test('pawl check says that a new home keeps every rule that applies, and names the others', async () => {
  const home = await newHome();
  expect((await pawlIn(home, INIT)).code).toBe(0);
  const { code, stdout } = await pawlIn(home, ['check', '--at-rest']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/✓ \d+ rules over 2 rows, 0 cycles, 0 violations/);
  expect(stdout).toContain('– not applicable: a token counts once (no token was ever used)');
});

test('pawl check names a broken rule with its row, and ends with the exit code of what is not healthy', async () => {
  const home = await newHome();
  await pawlIn(home, INIT);
  const db = new DatabaseSync(join(home, '.pawl', 'control.db'));
  db.exec("DROP TRIGGER ledger_keeps_content; UPDATE ledger SET reason = 'another' WHERE seq = 2");
  db.close();
  const broken = await pawlIn(home, ['check', '--json']);
  expect(broken.code).toBe(13);
  const rule = 'a row is what its hash was taken of';
  expect(broken.json).toMatchObject({ holds: false, violations: [{ rule, service: 'docs', seq: 2 }] });
  expect((await pawlIn(home, ['check'])).stdout).toContain(
    `✗ docs, row 2: row 2 is not what its hash was taken of (${rule})`,
  );
});

test('pawl check says what to do where there is no store, and makes none', async () => {
  const home = await newHome();
  await pawlIn(home, INIT);
  rmSync(join(home, '.pawl'), { recursive: true });
  const missing = await pawlIn(home, ['check', '--json']);
  expect(missing.code).toBe(4);
  expect(errorOf(missing)).toMatchObject({ type: 'NotFound' });
});
