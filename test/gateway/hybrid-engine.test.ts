import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { saveHybrid } from '../../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import type { HybridSettings, SourceDocument } from '../../contracts/retrieval.ts';
import type { SearchQuestion } from '../../gateway/search-engine.ts';
import { openTestEngine } from '../support/search-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tinyModel } from '../support/tiny-model.ts';

const HAND = 'hand';
const SETTINGS: HybridSettings = {
  chunking: { method: 'recursive', size: 60 },
  lexical: DEFAULT_SETTINGS,
  dense: { base: 'tiny', adapter: null, side: 'query', lengths: { query: 32, document: 64 } },
  fusion: { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: 20 },
  rerank: null,
  threshold: null,
};
const about = (id: string, text: string, over: Partial<SourceDocument> = {}): SourceDocument => ({
  ...{ id, title: id, text, format: 'text', metadata: {} },
  ...over,
});
const HARBOUR = about('harbour', 'A harbour is where ships are anchored for a while.');
const RIVER = about('river', 'A river flows towards the sea. Boats anchor rarely in it, for they drift away.');

const world = async (documents: readonly SourceDocument[] = [HARBOUR, RIVER]) => {
  const folder = temporaryFolder();
  const artifacts = folderArtifacts(join(folder, 'artifacts'));
  const model = tinyModel(join(folder, 'model'));
  const corpus = join(folder, 'corpus.jsonl');
  writeFileSync(corpus, '');
  const open = () =>
    openTestEngine({
      ...{ folder, corpus, artifacts },
      variant: async (id) => ({
        ...{ id, service: 'docs', origin: HAND, createdAt: '2026-11-21T00:00:00.000Z' },
        artifact: { uri: `artifact:sha256/${id}`, sha256: id },
      }),
      models: {
        open: async () => ({
          folder: model,
          model: { id: 'tiny', source: '', name: 'tiny', files: {}, importedAt: '' },
        }),
      },
    });
  const opened = open();
  await opened.documents.put('default', documents, HAND);
  const load = async (settings: Partial<HybridSettings> = {}, of = opened) =>
    of.engine.load((await saveHybrid(artifacts, 'docs', { ...SETTINGS, ...settings })).id);
  return { ...opened, open, load, corpus, path: join(folder, 'documents', 'docs.db') };
};
const ask = (query: string, over: Partial<SearchQuestion> = {}): SearchQuestion => ({
  ...{ query, k: 10, tenant: 'default', filter: {} },
  ...over,
});
type Loaded = Awaited<ReturnType<Awaited<ReturnType<typeof world>>['load']>>;
const idsOf = async (variant: Loaded, query: string, over: Partial<SearchQuestion> = {}) =>
  (await variant.search(ask(query, over))).hits.map(({ id }) => id);

test('documents are found by their parts, which say where they stand', async () => {
  const { load } = await world();
  const { hits } = await (await load()).search(ask('boats drift'));
  expect(hits.map(({ id }) => id)).toContain('river');
  for (const { id, passages = [] } of hits) {
    const { text } = id === 'river' ? RIVER : HARBOUR;
    expect(passages.length).toBeGreaterThan(0);
    for (const { start, end, text: part } of passages) expect(part).toBe(text.slice(start, end));
  }
});

test('every hit says where each leg had it', async () => {
  const { load } = await world();
  const { hits } = await (await load()).search(ask('ships'));
  const [best] = hits;
  expect(best).toMatchObject({ id: 'harbour', why: { lexical: { rank: 1 }, fused: { rank: 1 }, reranked: null } });
  expect(best?.why?.dense?.score).toBeLessThanOrEqual(1.000_001);
});

test('one leg alone answers where the other is turned off', async () => {
  const { load } = await world();
  const byWords = await load({ dense: null });
  const byMeaning = await load({ lexical: null });
  expect(await idsOf(byWords, 'ships')).toEqual(['harbour']);
  expect(await idsOf(byWords, 'unheard of')).toEqual([]);
  expect((await idsOf(byMeaning, 'unheard of')).toSorted()).toEqual(['harbour', 'river']);
});

test('a change of documents is found after the next look, and what was cut before is gone', async () => {
  const { load, engine, documents } = await world();
  const variant = await load({ dense: null });
  const before = variant.state();
  await documents.put('default', [about('harbour', 'Now about trains.'), about('canal', 'Ships pass a canal.')], HAND);
  await documents.remove('default', ['river'], HAND);
  await engine.renew();
  expect(await idsOf(variant, 'ships')).toEqual(['canal']);
  expect(await idsOf(variant, 'boats')).toEqual([]);
  expect(variant.state()).not.toBe(before);
  expect(engine.index()).toMatchObject({ state: 'ready', documents: 2 });
});

test('what one variant has indexed another of the same recipe need not', async () => {
  const { load } = await world();
  const [one, other] = [await load(), await load({ fusion: { ...SETTINGS.fusion, k: 5 } })];
  expect(one.state()).toBe(other.state());
});

test('tenants never meet', async () => {
  const { load, documents } = await world();
  await documents.put('other', [about('secret', 'Ships of another tenant.')], HAND);
  const variant = await load();
  expect(await idsOf(variant, 'ships', { tenant: 'other' })).toEqual(['secret']);
  expect(await idsOf(variant, 'ships of another tenant')).not.toContain('secret');
  expect(await idsOf(variant, 'ships', { tenant: 'nobody' })).toEqual([]);
});

test('a filter holds in both legs', async () => {
  const { load } = await world([
    about('old', 'Ships of old.', { metadata: { year: 1900 } }),
    about('new', 'Ships of today.', { metadata: { year: 2020 } }),
  ]);
  expect(await idsOf(await load(), 'ships', { filter: { year: { from: 2000 } } })).toEqual(['new']);
});

test('a threshold leaves out what is alike to too small a degree, and never what the words say', async () => {
  const { load } = await world();
  const strict = await load({ threshold: 1 });
  expect(await idsOf(strict, 'ships')).toEqual(['harbour']);
  expect(await idsOf(strict, 'unheard of')).toEqual([]);
});

test('a document that has a title only is found by it', async () => {
  const { load } = await world([about('Lighthouses', '')]);
  const { hits } = await (await load({ dense: null })).search(ask('lighthouses'));
  expect(hits.map(({ id }) => id)).toEqual(['Lighthouses']);
});

test('asked for new indexes, it builds them beside what answers, and then answers from them', async () => {
  const { load, engine, documents } = await world();
  const variant = await load();
  const before = variant.state();
  await documents.rebuild();
  const asked = Array.from({ length: 20 }, () => idsOf(variant, 'ships'));
  await engine.renew();
  for (const ids of await Promise.all(asked)) expect(ids[0]).toBe('harbour');
  expect(variant.state()).not.toBe(before);
  expect((await idsOf(variant, 'ships'))[0]).toBe('harbour');
});

test('a variant that is given back answers what it was asked before', async () => {
  const { load } = await world();
  const variant = await load();
  const asked = Array.from({ length: 5 }, () => idsOf(variant, 'ships'));
  await variant.release();
  for (const ids of await Promise.all(asked)) expect(ids[0]).toBe('harbour');
});

test('an index outlives the gateway that built it', async () => {
  const { load, close, open } = await world();
  const { state } = await load();
  const before = state();
  await close();
  const again = open();
  const variant = await load({}, again);
  expect(variant.state()).toBe(before);
  expect((await idsOf(variant, 'ships'))[0]).toBe('harbour');
});

test('a corpus that came while the store of documents was busy is taken up when it is free', async () => {
  const { load, engine, documents, corpus, path } = await world([]);
  const variant = await load({ dense: null });
  const holder = new DatabaseSync(path);
  holder.exec('BEGIN IMMEDIATE');
  writeFileSync(corpus, `${JSON.stringify({ _id: 'ferry', text: 'Ships that come and go.' })}\n`);
  await engine.renew();
  await engine.renew();
  expect(await documents.counts()).toMatchObject({ documents: 0 });
  holder.exec('ROLLBACK');
  holder.close();
  await engine.renew();
  await engine.renew();
  expect(await idsOf(variant, 'ships')).toEqual(['ferry']);
});

test('chunks by meaning need an encoder', async () => {
  const { load } = await world();
  const chunking = { method: 'semantic', size: 200, breaks: 0.5 } as const;
  await expect(load({ chunking, dense: null })).rejects.toMatchObject({ type: 'ConfigInvalid' });
  expect((await idsOf(await load({ chunking }), 'ships'))[0]).toBe('harbour');
});
