import { expect, test } from 'vitest';
import { memoryAnswers } from '../../adapters/answer-cache/memory.ts';
import type { SearchQuestion } from '../../gateway/search-engine.ts';
import { bearer, issue, memoryKeys, testAccess } from '../support/access.ts';
import { CHAMPION, createTestGateway, GOLD, playedEngine } from '../support/gateway.ts';

const everything = { service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER };

const cachedGateway = async () => {
  const asked: SearchQuestion[] = [];
  const engine = playedEngine();
  let state = 'first';
  engine.plays.set(CHAMPION, async (question) => {
    asked.push(question);
    return { hits: [{ id: question.query, score: 1, title: '' }], cpuMs: 3_600 };
  });
  const load = engine.load;
  engine.load = async (id) => ({ ...(await load(id)), state: () => state });
  const gateway = await createTestGateway({ engine, cache: memoryAnswers(() => 0) });
  const post = (body: object) =>
    gateway.get('/v1/search', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const change = () => {
    state = 'second';
  };
  return { ...gateway, asked, post, change };
};

test('a question that was answered already is answered from the cache, and costs nothing', async () => {
  const { app, get, asked, queryLog } = await cachedGateway();
  const [first, again] = [await get('/v1/search?q=ships'), await get('/v1/search?q=ships')];
  expect([first.body.cached, again.body.cached]).toEqual([false, true]);
  expect(again.body.hits).toEqual(first.body.hits);
  expect(again.body.answer).not.toBe(first.body.answer);
  expect(asked).toHaveLength(1);
  const metrics = await get('/metrics');
  expect(metrics.text).toContain('pawl_answer_cache_lookups_total{outcome="hit"} 1');
  await app.close();
  const rows = await queryLog.read(everything);
  expect(rows.map(({ cost }) => cost > 0)).toEqual([true, false]);
});

test('another filter, and another state of the documents, are other questions', async () => {
  const { post, asked, change } = await cachedGateway();
  await post({ query: 'ships' });
  await post({ query: 'ships', filter: { year: 2026 } });
  expect(asked.map(({ filter }) => filter)).toEqual([{}, { year: 2026 }]);
  await post({ query: 'ships' });
  expect(asked).toHaveLength(2);
  change();
  await post({ query: 'ships' });
  expect(asked).toHaveLength(3);
});

test('a filter holds conditions of known kinds only', async () => {
  const { post, asked } = await cachedGateway();
  for (const filter of [{ year: { over: 1 } }, { year: null }, { year: {} }, { year: { in: [] } }, ['year']]) {
    expect((await post({ query: 'ships', filter })).status).toBe(400);
  }
  expect(asked).toEqual([]);
});

test('whoever may not say which variant answers is refused, and whoever may gets it, uncounted', async () => {
  const { keys } = memoryKeys();
  const [reader, writer] = [await issue(keys), await issue(keys, { role: 'writer' })];
  const { app, get, queryLog } = await createTestGateway({ access: testAccess({ keys }) });
  const pinned = (token: string, variant: string) =>
    get('/v1/search?q=ships', { headers: { ...bearer(token).headers, 'x-pawl-variant': variant } });
  const refused = await pinned(reader.token, GOLD);
  expect({ status: refused.status, type: refused.body.error.type }).toEqual({ status: 403, type: 'NotAllowed' });
  expect((await pinned(writer.token, GOLD)).body).toMatchObject({ variant: GOLD, experiment: null });
  expect((await pinned(writer.token, 'unheard of')).status).toBe(404);
  await app.close();
  expect(await queryLog.read(everything)).toEqual([]);
});
