import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contentOf, openArchive } from '../../adapters/models/archive.ts';
import { archiveOf, type Packed } from '../support/archive.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const saved = (bytes: Uint8Array): string => {
  const path = join(temporaryFolder(), 'a.whl');
  writeFileSync(path, bytes);
  return path;
};
const unpacked = async (bytes: Uint8Array): Promise<Record<string, string>> => {
  const archive = await openArchive(saved(bytes));
  const texts: Record<string, string> = {};
  for (const file of archive.files) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of contentOf(archive, file)) chunks.push(chunk);
    texts[file.path] = Buffer.concat(chunks).toString('utf8');
  }
  return texts;
};
const one: Packed = { path: 'a/b.txt', content: 'some text' };

test('files come out as they were packed, stored or deflated, empty or long', async () => {
  const long = 'all work and no play '.repeat(20_000);
  const files = [
    one,
    { path: 'stored', content: long, stored: true },
    { path: 'long', content: long },
    { path: 'none', content: '' },
  ];
  const folder = { path: 'a/', content: '', stored: true };
  const wanted = { 'a/b.txt': 'some text', stored: long, long, none: '' };
  expect(await unpacked(archiveOf([folder, ...files]))).toEqual(wanted);
  expect(await unpacked(archiveOf([]))).toEqual({});
});

test.each<readonly [what: string, file: Partial<Packed>, says: RegExp]>([
  ['whose checksum is another', { crc: 1 }, /not what it was when it was packed/],
  ['longer than it says', { length: 4 }, /longer than it says/],
  ['shorter than it says', { length: 40 }, /not what it was/],
  ['with another name where it lies', { pathInside: 'a/c.txt' }, /another name/],
  ['that is encrypted', { flags: 1 }, /encrypted/],
  ['packed in an unknown way', { method: 14 }, /packed in a way/],
  ['that is no deflated data', { stored: true, method: 8 }, /cannot be unpacked/],
  ['that is a link', { mode: 0o120777 }, /is a link/],
  ['that wants to lie elsewhere', { path: '../b.txt' }, /outside/],
])('a file %s is refused', async (_, over, says) => {
  await expect(unpacked(archiveOf([{ ...one, ...over }]))).rejects.toThrow(says);
});

test('an archive with a name twice, cut off, or none at all is refused', async () => {
  const refused = { type: 'ConfigInvalid' };
  const bytes = archiveOf([one]);
  await expect(unpacked(archiveOf([one, one]))).rejects.toThrow(/twice/);
  for (const broken of [bytes.subarray(0, -1), bytes.subarray(20), Buffer.from('PK'), Buffer.alloc(0)]) {
    await expect(unpacked(broken)).rejects.toMatchObject(refused);
  }
});
