import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeArtifactStore } from './artifact-store.ts';

describeArtifactStore('folder', async () => folderArtifacts(temporaryFolder()));

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());
const fileOf = (folder: string, sha256: string): string => join(folder, 'sha256', sha256.slice(0, 2), sha256);

test('an artifact is one file, named by its digest, and nothing else is left behind', async () => {
  const folder = temporaryFolder();
  const { sha256 } = await folderArtifacts(folder).put('bytes');
  expect(filesIn(folder)).toEqual([join('sha256', sha256.slice(0, 2), sha256)]);
});

test('a damaged file is never handed out, and the error names the file, what it should hold and what it holds', async () => {
  const folder = temporaryFolder();
  const store = folderArtifacts(folder);
  const ref = await store.put('right');
  const { sha256: other } = await store.put('wrong');
  writeFileSync(fileOf(folder, ref.sha256), 'wrong');
  const error = await store.get(ref).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'DigestMismatch', hint: expect.stringContaining('backup') });
  expect(String(error)).toContain(fileOf(folder, ref.sha256));
  expect(String(error)).toContain(ref.sha256);
  expect(String(error)).toContain(other);
});

test('putting the right bytes mends a damaged file', async () => {
  const folder = temporaryFolder();
  const store = folderArtifacts(folder);
  const ref = await store.put('right');
  writeFileSync(fileOf(folder, ref.sha256), 'cut');
  await store.put('right');
  expect((await store.get(ref)).toString()).toBe('right');
});

test('a folder that cannot be used is an error that names it', async () => {
  const folder = join(temporaryFolder(), 'file');
  writeFileSync(folder, '');
  await expect(folderArtifacts(folder).put('x')).rejects.toMatchObject({
    type: 'Unavailable',
    message: expect.stringContaining(folder),
  });
});

test.skipIf(!canMount)('a full disk is an error of its own, leaves nothing half written, and passes', async () => {
  const disk = smallDisk();
  const store = folderArtifacts(join(disk.folder, 'artifacts'));
  const kept = await store.put('kept');
  const before = filesIn(join(disk.folder, 'artifacts'));
  disk.fill(50_000);
  const big = Buffer.alloc(200_000, 'x');
  await expect(store.put(big)).rejects.toMatchObject({ type: 'DiskFull', hint: expect.any(String) });
  expect(filesIn(join(disk.folder, 'artifacts'))).toEqual(before);
  expect((await store.get(kept)).toString()).toBe('kept');
  disk.empty();
  expect(await store.get(await store.put(big))).toEqual(big);
});
