import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { openTestEngine } from '../support/search-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HARBOUR = { _id: 'harbour', title: 'Harbours', text: 'A harbour is where ships are anchored.' };
const RIVER = { _id: 'river', title: 'Rivers', text: 'A river flows towards the sea; boats anchor rarely.' };

const world = async () => {
  const folder = temporaryFolder();
  const control = sqliteControl(':memory:');
  const artifacts = folderArtifacts(join(folder, 'artifacts'));
  const corpus = join(folder, 'corpus.jsonl');
  const indexFolder = join(folder, 'indexes');
  const write = (...documents: object[]) =>
    writeFileSync(corpus, documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  write(HARBOUR, RIVER);
  onTestFinished(() => control.close());
  const create = () => {
    const { engine } = openTestEngine({ folder, corpus, artifacts, variant: (id) => control.variant(id) });
    return {
      ...engine,
      load: async (id: string) => {
        const loaded = await engine.load(id);
        const search = (query: string, k: number) => loaded.search({ query, k, tenant: 'default', filter: {} });
        return { ...loaded, search };
      },
    };
  };
  const engine = create();
  const variant = async (settings: Partial<SearchSettings> = {}, service = 'docs'): Promise<string> => {
    const { id, artifact } = await saveVariant(artifacts, service, { ...DEFAULT_SETTINGS, ...settings });
    await control.addVariant({ id, service, artifact, origin: 'hand', createdAt: '2026-11-21T00:00:00.000Z' });
    return id;
  };
  /** Looked at twice, since a file that has just changed may still be being written. */
  const renew = async () => {
    await engine.renew();
    await engine.renew();
  };
  const artifactFile = (id: string) => join(folder, 'artifacts', 'sha256', id.slice(0, 2), id);
  return { create, corpus, indexFolder, write, engine, variant, renew, control, artifactFile };
};
const idsOf = async (found: Promise<{ hits: readonly { id: string }[] }>) => (await found).hits.map(({ id }) => id);

test('a variant answers from the corpus, with titles, and says what it cost', async () => {
  const { engine, variant, renew } = await world();
  await renew();
  const { search } = await engine.load(await variant());
  const { hits, cpuMs } = await search('ships', 5);
  expect(hits).toEqual([{ id: 'harbour', title: 'Harbours', score: expect.any(Number) }]);
  expect(cpuMs).toBeGreaterThan(0);
  expect(engine.index()).toMatchObject({ state: 'ready', because: null, documents: 2 });
});

test('variants with different recipes answer each in its own way', async () => {
  const { engine, variant, renew } = await world();
  await renew();
  const plain = await engine.load(await variant());
  const stemmed = await engine.load(await variant({ stemming: true }));
  expect(await idsOf(plain.search('anchoring', 5))).toEqual([]);
  expect((await idsOf(stemmed.search('anchoring', 5))).toSorted()).toEqual(['harbour', 'river']);
});

test('a corpus that changed is taken up by every variant that was loaded before', async () => {
  const { engine, variant, renew, write } = await world();
  await renew();
  const loaded = [await engine.load(await variant()), await engine.load(await variant({ stemming: true }))];
  const before = engine.index().corpus;
  write(RIVER, { _id: 'canal', title: 'Canals', text: 'Ships pass a canal.' });
  await renew();
  for (const { search } of loaded) expect(await idsOf(search('ships', 5))).toEqual(['canal']);
  expect(engine.index()).toMatchObject({ state: 'ready', documents: 2 });
  expect(engine.index().corpus).not.toBe(before);
});

test('a file that is still being written is left alone until it stands still', async () => {
  const { engine, variant, write } = await world();
  await engine.renew();
  const { search } = await engine.load(await variant());
  write(HARBOUR);
  await engine.renew();
  write(HARBOUR, RIVER, { _id: 'canal', title: '', text: 'ships' });
  await engine.renew();
  expect(await idsOf(search('sea', 5))).toEqual(['river']);
  expect(engine.index().documents).toBe(2);
  await engine.renew();
  expect(engine.index().documents).toBe(3);
});

test('a corpus that is damaged or gone leaves what serves as it is, says why, and is taken up once it is mended', async () => {
  const { engine, variant, renew, write, corpus } = await world();
  await renew();
  const { search } = await engine.load(await variant());
  writeFileSync(corpus, '{"_id": "half"');
  await renew();
  expect(engine.index()).toMatchObject({ state: 'failed', because: expect.stringContaining(':1'), documents: 2 });
  rmSync(corpus);
  await renew();
  expect(engine.index()).toMatchObject({ state: 'failed', because: expect.stringContaining('corpus.jsonl') });
  expect(await idsOf(search('ships', 5))).toEqual(['harbour']);
  write(HARBOUR, RIVER);
  await renew();
  expect(engine.index()).toMatchObject({ state: 'ready', because: null });
});

test('an index file that was damaged is built anew', async () => {
  const { create, engine, variant, renew, indexFolder } = await world();
  await renew();
  const id = await variant();
  await engine.load(id);
  await engine.close();
  for (const name of readdirSync(indexFolder)) truncateSync(join(indexFolder, name), 10);
  const again = create();
  await again.renew();
  const { search } = await again.load(id);
  expect(await idsOf(search('ships', 5))).toEqual(['harbour']);
});

test('an index that could not be built for a reason that passes is built once it has passed', async () => {
  const { engine, variant, renew, write, indexFolder } = await world();
  await renew();
  const { search } = await engine.load(await variant());
  rmSync(indexFolder, { recursive: true });
  writeFileSync(indexFolder, 'in the way');
  write(RIVER);
  await renew();
  expect(engine.index()).toMatchObject({ state: 'failed', documents: 2 });
  expect(await idsOf(search('ships', 5))).toEqual(['harbour']);
  rmSync(indexFolder);
  await engine.renew();
  expect(engine.index()).toMatchObject({ state: 'ready', documents: 1 });
});

test('a corpus that was gone and is back as it was is ready again', async () => {
  const { engine, variant, renew, write, corpus } = await world();
  await renew();
  await engine.load(await variant());
  rmSync(corpus);
  await renew();
  expect(engine.index().state).toBe('failed');
  write(HARBOUR, RIVER);
  await renew();
  expect(engine.index()).toMatchObject({ state: 'ready', because: null, documents: 2 });
});

test('a variant whose artifact was changed, one of another service, and one that nobody knows are not loaded', async () => {
  const { engine, variant, renew, artifactFile } = await world();
  await renew();
  const id = await variant();
  writeFileSync(artifactFile(id), '{"kind":"lexical"}');
  await expect(engine.load(id)).rejects.toMatchObject({ type: 'DigestMismatch' });
  await expect(engine.load(await variant({}, 'shop'))).rejects.toMatchObject({ type: 'NotFound' });
  await expect(engine.load('nope')).rejects.toMatchObject({ type: 'NotFound' });
});

test('without a corpus a variant is not loaded, and the error says what is missing', async () => {
  const { engine, variant, corpus, renew } = await world();
  rmSync(corpus);
  await renew();
  const error = { type: 'Unavailable', message: expect.stringContaining('corpus.jsonl') };
  await expect(engine.load(await variant())).rejects.toMatchObject(error);
});

test.each([
  '"',
  'x" OR "y',
  'NEAR(ships anchored, 1)',
  'title:ships',
  'ships*',
  '-ships',
  '^ships',
  ') (',
  "'; DROP TABLE x",
])('a question with the syntax of full-text search is a question like any other: %s', async (question) => {
  const { engine, variant, renew } = await world();
  await renew();
  const { search } = await engine.load(await variant());
  expect(await idsOf(search(question, 5))).toEqual(question.includes('ships') ? ['harbour'] : []);
});
