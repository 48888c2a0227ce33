import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { click, describeFeedbackStore, impression, servedAnswer } from './feedback-store.ts';

const opened = (folder = temporaryFolder()) => {
  const path = join(folder, 'metrics.db');
  const [log, feedback] = [sqliteQueryLog(path), sqliteFeedback(path)];
  return { path, log, feedback };
};
const closing = (stores: ReturnType<typeof opened>): ReturnType<typeof opened> => {
  onTestFinished(() => {
    stores.feedback.close();
    stores.log.close();
  });
  return stores;
};
const told = { at: 2_000, tenant: 'default', by: null, mayJudge: true };

describeFeedbackStore('SQLite', () => opened());

test('what is acknowledged is committed: another process sees it at that moment', async () => {
  const { path, log, feedback } = closing(opened());
  await log.append([servedAnswer('one')]);
  const other = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => other.close());
  const rows = () => other.prepare('SELECT count(*) AS n FROM feedback').get()?.n;
  const adding = feedback.add({ ...told, events: [click('one')] });
  expect(rows()).toBe(0);
  await adding;
  expect(rows()).toBe(1);
});

test('a file that another process holds is busy: nothing is acknowledged, and the same events are taken afterwards', async () => {
  const { path, log, feedback } = closing(opened());
  await log.append([servedAnswer('one')]);
  const holder = new DatabaseSync(path);
  holder.exec('BEGIN IMMEDIATE');
  const events = [click('one'), impression('one')];
  await expect(feedback.add({ ...told, events })).rejects.toMatchObject({ type: 'StoreBusy' });
  holder.close();
  expect(await feedback.add({ ...told, events })).toMatchObject([{ outcome: 'accepted' }, { outcome: 'accepted' }]);
});

test('what waits for its turn when the store is closed is written before', async () => {
  const { path, log, feedback } = opened();
  await log.append([servedAnswer('one')]);
  const adding = feedback.add({ ...told, events: [click('one')] });
  feedback.close();
  expect(await adding).toMatchObject([{ outcome: 'accepted' }]);
  log.close();
  const again = closing({ path, log: sqliteQueryLog(path), feedback: sqliteFeedback(path) });
  expect(await again.feedback.received({ service: 'docs', from: 0, to: 10_000 })).toHaveLength(1);
});

test.skipIf(!canMount)('on a full disk a batch is refused as a whole, and can be told again', async () => {
  const disk = smallDisk();
  const { log, feedback } = closing(opened(disk.folder));
  await log.append([servedAnswer('one')]);
  const events = Array.from({ length: 100 }, (_, n) => click('one', { key: `${n}${'k'.repeat(90)}` }));
  disk.fill();
  await expect(feedback.add({ ...told, events })).rejects.toMatchObject({ type: 'DiskFull' });
  expect(await feedback.received({ service: 'docs', from: 0, to: 10_000 })).toEqual([]);
  disk.empty();
  expect((await feedback.add({ ...told, events })).every(({ outcome }) => outcome === 'accepted')).toBe(true);
});
