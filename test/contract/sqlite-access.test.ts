import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sqliteAccess } from '../../adapters/access/sqlite.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeAccessStore } from './access-store.ts';

describeAccessStore('SQLite', () => sqliteAccess(':memory:'));

const one = {
  id: 'a',
  name: 'a',
  tenant: 'default',
  role: 'admin',
  hash: 'h',
  createdAt: '2026-11-21T01:00:00.000Z',
  expiresAt: null,
} as const;

test('what one process changes, another finds at its next question; the files are for nobody else', async () => {
  const path = join(temporaryFolder(), 'state', 'access.db');
  const [gateway, shell] = [sqliteAccess(path), sqliteAccess(path)];
  expect(await gateway.held('a')).toBeNull();
  await shell.add(one);
  expect(await gateway.held('a')).toMatchObject({ hash: 'h' });
  await shell.revoke('a', '2026-11-21T02:00:00.000Z');
  expect(await gateway.held('a')).toBeNull();
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const store of [gateway, shell]) store.close();
});
