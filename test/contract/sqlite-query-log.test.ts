import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeQueryLog } from './query-log.ts';

describeQueryLog('SQLite', () => sqliteQueryLog(':memory:'));

const served = {
  at: 1,
  service: 'docs',
  variant: 'v1',
  query: 'x'.repeat(5_000),
  ranked: [],
  latencyMs: 1,
  error: null,
  cost: 0,
};

test('a log that another process holds is busy, and takes the rows afterwards', async () => {
  const path = join(temporaryFolder(), 'metrics.db');
  const log = sqliteQueryLog(path);
  const holder = new DatabaseSync(path);
  holder.exec('BEGIN IMMEDIATE');
  await expect(log.append([served])).rejects.toMatchObject({ type: 'StoreBusy' });
  holder.close();
  await log.append([served]);
  expect(await log.read({ service: 'docs', from: 0, to: 10 })).toEqual([served]);
  log.close();
});

test.skipIf(!canMount)('on a full disk a batch is refused as a whole, and what was there stays readable', async () => {
  const disk = smallDisk();
  const log = sqliteQueryLog(join(disk.folder, 'metrics.db'));
  await log.append([served]);
  disk.fill();
  const batch = Array.from({ length: 50 }, () => served);
  await expect(log.append(batch)).rejects.toMatchObject({ type: 'DiskFull' });
  expect(await log.read({ service: 'docs', from: 0, to: 10 })).toHaveLength(1);
  disk.empty();
  await log.append(batch);
  expect(await log.read({ service: 'docs', from: 0, to: 10 })).toHaveLength(51);
  log.close();
});
