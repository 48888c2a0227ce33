/** A variant that is asked too, without anybody seeing what it finds. */
import { expect, test, vi } from 'vitest';
import { memoryAnswers } from '../../adapters/answer-cache/memory.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { Attempt } from '../../gateway/attempt.ts';
import { createMirror, MOST_AT_ONCE } from '../../gateway/mirroring.ts';
import type { Found, LoadedVariant } from '../../gateway/search-engine.ts';
import { CHALLENGER, CHAMPION, createTestGateway, GOLD, kill, playedEngine, split } from '../support/gateway.ts';

type Gateway = Awaited<ReturnType<typeof createTestGateway>>;
const PATIENT = { timeout: 30_000 };
const everything = { service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER };
const mirrored = { ...everything, mirrored: true };

/** The champion answers everybody, and the challenger is asked too, for each of them. */
const mirroring = async (over: Parameters<typeof createTestGateway>[0] = {}, mirror = 1) => {
  const gateway = await createTestGateway(over);
  await split(gateway.control, [
    { variant: CHAMPION, share: 1 },
    { variant: CHALLENGER, share: 0, mirror },
  ]);
  return gateway;
};
const ready = ({ get }: Gateway) =>
  vi.waitFor(async () => {
    const { body } = await get('/status');
    expect(body.services[0].loaded).toContain(CHALLENGER);
  }, PATIENT);
const counted = async ({ get }: Gateway, outcome: string): Promise<number> => {
  const { text } = await get('/metrics');
  return Number(new RegExp(`pawl_mirrored_total\\{service="docs",outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
};

test('whoever asks gets the answer of the variant with the share, and the log a row of the other one', async () => {
  const gateway = await mirroring({ subjectHash: (subject) => `hash of ${subject}` });
  await ready(gateway);
  const { body } = await gateway.get('/v1/search?q=hello&k=2', { headers: { 'x-pawl-subject': 'jane' } });
  expect(body).toMatchObject({ variant: CHAMPION, experiment: null, hits: [{ id: `${CHAMPION}/0` }, {}] });
  await gateway.app.close();
  const [answer, ...others] = await gateway.queryLog.read(everything);
  expect(others).toEqual([]);
  expect(answer).toMatchObject({ variant: CHAMPION, answer: body.answer });
  const [copy, ...more] = await gateway.queryLog.read(mirrored);
  expect(more).toEqual([]);
  expect(copy).toMatchObject({
    ...{ variant: CHALLENGER, query: 'hello', tenant: 'default', subject: 'hash of jane', error: null },
    ...{ mirrored: true, of: body.answer, experiment: '0.1', cost: expect.closeTo(0.001, 12) },
  });
  expect(copy?.ranked).toEqual(Array.from({ length: 10 }, (_, at) => `${CHALLENGER}/${at}`));
  expect(copy?.answer).not.toBe(body.answer);
});

test('a variant that fails what is mirrored fails nobody: the error is its own, in the log and in the metrics', async () => {
  const gateway = await mirroring();
  await ready(gateway);
  gateway.engine.plays.set(CHALLENGER, async () => {
    throw new Error('no such table');
  });
  for (const q of ['a', 'b']) expect((await gateway.get(`/v1/search?q=${q}`)).status).toBe(200);
  await vi.waitFor(async () => expect(await counted(gateway, 'failed')).toBe(2), PATIENT);
  const { text } = await gateway.get('/metrics');
  expect(text).not.toMatch(/pawl_search_requests_total\{.*outcome="failed"/);
  expect(gateway.lines.filter(({ about }) => about.variant === CHALLENGER).map(({ level }) => level)).toEqual([
    'warn',
    'warn',
  ]);
  await gateway.app.close();
  const errors = (await gateway.queryLog.read({ ...mirrored, variant: CHALLENGER })).map(({ error }) => error);
  expect(errors).toEqual(['Internal', 'Internal']);
  expect((await gateway.queryLog.read(everything)).every(({ error }) => error === null)).toBe(true);
});

test('a variant that takes for ever keeps nobody waiting: a few are under way, and the rest is dropped and counted', async () => {
  const gateway = await mirroring();
  await ready(gateway);
  const { promise, resolve } = Promise.withResolvers<Found>();
  gateway.engine.plays.set(CHALLENGER, () => promise);
  for (let n = 0; n < MOST_AT_ONCE + 3; n++) expect((await gateway.get('/v1/search?q=x')).status).toBe(200);
  expect(await counted(gateway, 'dropped')).toBe(3);
  resolve({ hits: [], cpuMs: 0 });
  await vi.waitFor(async () => expect(await counted(gateway, 'answered')).toBe(MOST_AT_ONCE), PATIENT);
  await gateway.get('/v1/search?q=x');
  await vi.waitFor(async () => expect(await counted(gateway, 'answered')).toBe(MOST_AT_ONCE + 1), PATIENT);
});

test('a gateway that closes waits for what it is mirroring, so that the log hears of it', async () => {
  const gateway = await mirroring();
  await ready(gateway);
  const { promise, resolve } = Promise.withResolvers<Found>();
  const asked = vi.fn(() => promise);
  gateway.engine.plays.set(CHALLENGER, asked);
  await gateway.get('/v1/search?q=x');
  await vi.waitFor(() => expect(asked).toHaveBeenCalled(), PATIENT);
  const closed = gateway.app.close();
  await vi.waitFor(async () => expect(await gateway.queryLog.read(everything)).toHaveLength(1), PATIENT);
  resolve({ hits: [], cpuMs: 0 });
  await closed;
  expect(await gateway.queryLog.read(mirrored)).toHaveLength(1);
});

test('about that share of the answers is mirrored', async () => {
  const gateway = await mirroring({}, 0.5);
  await ready(gateway);
  for (let n = 0; n < 60; n++) await gateway.get('/v1/search?q=x');
  await gateway.app.close();
  const copies = await gateway.queryLog.read(mirrored);
  expect(copies.length).toBeGreaterThan(12);
  expect(copies.length).toBeLessThan(48);
});

test('after a kill nothing is mirrored, and neither is what a tester asks', async () => {
  const gateway = await mirroring();
  await ready(gateway);
  for (const variant of [CHAMPION, CHALLENGER]) {
    expect((await gateway.get('/v1/search?q=x', { headers: { 'x-pawl-variant': variant } })).body.variant).toBe(
      variant,
    );
  }
  await kill(gateway.control);
  expect(await gateway.variantFor('anyone')).toBe(GOLD);
  await gateway.app.close();
  expect(await gateway.queryLog.read(mirrored)).toEqual([]);
});

test('what a variant answered itself is not mirrored to it', async () => {
  const gateway = await createTestGateway();
  await split(gateway.control, [{ variant: CHALLENGER, share: 1, mirror: 1 }]);
  await ready(gateway);
  expect(await gateway.variantFor('anyone')).toBe(CHALLENGER);
  await gateway.app.close();
  expect(await gateway.queryLog.read(mirrored)).toEqual([]);
});

test('the cache of answers is none of the mirror: the variant itself is asked each time', async () => {
  const gateway = await mirroring({ cache: memoryAnswers(() => 0) });
  await ready(gateway);
  const asked = vi.fn(async () => ({ hits: [], cpuMs: 0 }));
  gateway.engine.plays.set(CHALLENGER, asked);
  const cached = [];
  for (let n = 0; n < 3; n++) cached.push((await gateway.get('/v1/search?q=same')).body.cached);
  expect(cached).toEqual([false, true, true]);
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(3), PATIENT);
});

test('a variant that is not loaded yet is counted, and asked nothing', async () => {
  const engine = playedEngine();
  engine.waits.set(CHALLENGER, new Promise(() => {}));
  const gateway = await mirroring({ engine });
  expect((await gateway.get('/v1/search?q=x')).body.variant).toBe(CHAMPION);
  await vi.waitFor(async () => expect(await counted(gateway, 'not loaded')).toBe(1), PATIENT);
});

const row: ServiceState = {
  ...{ service: 'docs', latch: 'armed', because: '', epoch: 0, promotion: 1, champion: CHAMPION, gold: GOLD },
  arms: [
    { variant: CHAMPION, share: 1 },
    { variant: CHALLENGER, share: 0, mirror: 1 },
  ],
};

/** A mirror by itself, and what it kept and counted. */
const scene = (search: LoadedVariant['search'], { later = row, patienceMs = 60_000 } = {}) => {
  const kept: Attempt[] = [];
  const outcomes: string[] = [];
  const state = vi.fn(async () => later);
  const quiet = () => undefined;
  const mirror = createMirror({
    ...{ service: 'docs', state, now: () => 42, patienceMs },
    shelf: { ready: () => ({ search, state: () => '', release: async () => undefined }) },
    metrics: { mirrored: (_, outcome) => outcomes.push(outcome) },
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const question = { query: 'q', k: 10, tenant: 'default', filter: {} };
  const copy = () => mirror.copy({ answer: 'a', by: [CHAMPION], row, question, keep: (attempt) => kept.push(attempt) });
  return { mirror, copy, kept, outcomes, state };
};

test('the answer is on its way before the variant is asked', async () => {
  const search = vi.fn(async () => ({ hits: [], cpuMs: 0 }));
  const { mirror, copy, outcomes } = scene(search);
  copy();
  // As much as whoever answers does in the same turn.
  for (let n = 0; n < 100; n++) await undefined;
  expect(search).not.toHaveBeenCalled();
  await mirror.settle();
  expect(outcomes).toEqual(['answered']);
});

test('a kill that comes between the answer and its copy holds for the copy', async () => {
  const search = vi.fn(async () => ({ hits: [], cpuMs: 0 }));
  const killed = { ...row, epoch: 1, arms: [{ variant: GOLD, share: 1 }] };
  const { mirror, copy, kept } = scene(search, { later: killed });
  copy();
  await mirror.settle();
  expect(search).not.toHaveBeenCalled();
  expect(kept).toEqual([]);
});

test('who is too late has failed, and takes up its place until it is done', async () => {
  const { promise, resolve } = Promise.withResolvers<Found>();
  const { copy, kept, outcomes } = scene(() => promise, { patienceMs: 1 });
  for (let n = 0; n < MOST_AT_ONCE; n++) copy();
  await vi.waitFor(() => expect(outcomes).toEqual(Array(MOST_AT_ONCE).fill('failed')), PATIENT);
  expect(kept[0]).toMatchObject({ variant: CHALLENGER, at: 42, found: null, error: { type: 'Unavailable' } });
  copy();
  expect(outcomes.at(-1)).toBe('dropped');
  resolve({ hits: [], cpuMs: 0 });
  await promise;
  await vi.waitFor(() => {
    copy();
    expect(outcomes).toContain('answered');
  }, PATIENT);
});

test('once it is to settle it begins nothing more, and what is under way is kept first', async () => {
  const { promise, resolve } = Promise.withResolvers<Found>();
  const { mirror, copy, kept, outcomes, state } = scene(() => promise);
  copy();
  await vi.waitFor(() => expect(state).toHaveBeenCalled(), PATIENT);
  const settled = mirror.settle();
  copy();
  expect(outcomes).toEqual(['dropped']);
  resolve({ hits: [], cpuMs: 0 });
  await settled;
  expect(kept).toHaveLength(1);
});

test('where the traffic cannot be read nothing is asked, and nobody is disturbed', async () => {
  const search = vi.fn(async () => ({ hits: [], cpuMs: 0 }));
  const { mirror, copy, outcomes, state } = scene(search);
  state.mockRejectedValueOnce(new Error('the disk is gone'));
  copy();
  await mirror.settle();
  expect({ asked: search.mock.calls, outcomes }).toEqual({ asked: [], outcomes: [] });
});
