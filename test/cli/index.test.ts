import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { tinyModel } from '../support/tiny-model.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

let home: string;
const variables = () => ({ XDG_CACHE_HOME: join(home, 'cache') });
const pawl = (...args: readonly string[]): Promise<Ran> => pawlIn(home, args, variables());
const json = async (...args: readonly string[]) => (await pawl(...args, '--json')).json as Record<string, unknown>;

beforeAll(async () => {
  home = await folderWithData();
  const made = await pawl(...INIT);
  if (made.code !== 0) throw new Error(made.stderr);
  mkdirSync(join(home, 'manual', '.hidden'), { recursive: true });
  writeFileSync(join(home, 'manual', 'first.md'), '# The first page\n\nShips and harbours.');
  writeFileSync(join(home, 'manual', 'tool.py'), 'print("ships")\n');
  writeFileSync(join(home, 'manual', 'picture.png'), 'not a text');
  writeFileSync(join(home, 'manual', '.hidden', 'secret.md'), 'left alone');
  symlinkSync('/etc/hostname', join(home, 'manual', 'link.md'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const documentsOf = async () => {
  const [service = ''] = [(await json('index', 'ls')).service as string];
  return sqliteDocuments(join(homePaths(home).documents, `${service}.db`));
};

test('a folder gives a document for each text in it, and follows no links', async () => {
  const added = await json('index', 'add', 'manual');
  expect(added).toMatchObject({ documents: 2, changed: 2, tenant: 'default' });
  expect(added.skipped).toEqual([{ file: 'manual/picture.png', because: 'its ending is not that of a text' }]);
  const store = await documentsOf();
  expect(await store.get('default', 'manual/first.md')).toMatchObject({
    ...{ title: 'The first page', format: 'markdown', metadata: { path: 'manual/first.md' } },
  });
  expect(await store.get('default', 'manual/tool.py')).toMatchObject({ format: 'code' });
  store.close();
  expect(await json('index', 'add', 'manual')).toMatchObject({ documents: 2, changed: 0 });
});

test('what is exported is what is imported, for another tenant too', async () => {
  const { stdout } = await pawl('index', 'export');
  const path = join(home, 'exported.jsonl');
  writeFileSync(path, stdout);
  expect(await json('index', 'import', path, '--tenant', 'acme')).toMatchObject({ documents: 2, added: 0, changed: 2 });
  expect((await pawl('index', 'export', '--tenant', 'acme')).stdout).toBe(stdout);
  writeFileSync(path, `${stdout.trim().split('\n')[0]}\n`);
  const replaced = await json('index', 'import', path, '--tenant', 'acme', '--replace');
  expect(replaced).toMatchObject({ documents: 1, added: 0, changed: 0, removed: 1 });
});

test('documents are listed with what a person looks for, page by page', async () => {
  const { stdout } = await pawl('index', 'ls', '--limit', '1');
  expect(stdout).toContain('manual/first.md');
  expect(stdout).not.toContain('manual/tool.py');
});

test('a line that is no document says where it stands, and nothing is added', async () => {
  writeFileSync(join(home, 'broken.jsonl'), '{"_id": "a", "text": "fine"}\n{"_id": "b"}\n');
  const ran = await pawl('index', 'add', 'broken.jsonl', '--json');
  expect(errorOf(ran)).toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining('broken.jsonl:2') });
  expect(errorOf(await pawl('index', 'add', 'nowhere', '--json'))).toMatchObject({ type: 'NotFound' });
  const store = await documentsOf();
  expect(await store.get('default', 'a')).toBeNull();
  store.close();
});

test('asking for new indexes raises the generation', async () => {
  expect(await json('index', 'rebuild')).toMatchObject({ generation: 1 });
  expect(await json('index', 'ls')).toMatchObject({ generation: 1 });
});

test('a variant of hybrid search is made, with its index and with how its searches are put together', async () => {
  tinyModel(join(home, 'tiny'), { layers: 1, hidden: 8, heads: 2, intermediate: 8 });
  const made = await json('variant', 'create', '--encoder', 'file:tiny', '--chunking', 'recursive:100');
  expect(made.settings).toMatchObject({
    chunking: { method: 'recursive', size: 100 },
    dense: { adapter: null, side: 'query' },
    threshold: null,
  });
  expect((await json('index', 'ls')).indexes).toHaveLength(1);
  const again = await json('variant', 'create', '--encoder', 'file:tiny', '--chunking', 'recursive:100');
  expect(again.id).toBe(made.id);
  const words = await json('variant', 'create', '--encoder', 'none', '--chunking', 'whole');
  expect(words.settings).toMatchObject({ dense: null, chunking: { method: 'whole' } });
  const odd = await pawl('variant', 'create', '--chunking', 'cleverly', '--json');
  expect(errorOf(odd)).toMatchObject({ type: 'Usage', message: expect.stringContaining('--chunking') });
});

test('a service can begin with hybrid search', async () => {
  const other = await folderWithData();
  const args = [...INIT, '--search', 'hybrid', '--encoder', 'none', '--json'];
  const ran = await pawlIn(other, args, variables());
  expect(ran.stderr).toBe('');
  const { champion } = (ran.json as { state: { champion: string } }).state;
  const path = join(homePaths(other).artifacts, 'sha256', champion.slice(0, 2), champion);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ kind: 'hybrid', settings: { dense: null } });
  rmSync(other, { recursive: true, force: true });
});
