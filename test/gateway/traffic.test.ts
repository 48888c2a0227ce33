import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import { CHALLENGER, CHAMPION, createTestGateway, GOLD, kill, playedEngine, split } from '../support/gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const tenth = [
  { variant: CHAMPION, share: 0.9 },
  { variant: CHALLENGER, share: 0.1 },
];
const subjects = Array.from({ length: 300 }, (_, at) => `user-${at}`);

const PATIENT = { timeout: 30_000 };

/** Every variant that the traffic row names is loaded. */
const loaded = (gateway: Awaited<ReturnType<typeof createTestGateway>>, ...variants: string[]) =>
  vi.waitFor(async () => {
    await gateway.get('/v1/search?q=wake');
    const { body } = await gateway.get('/status');
    expect(body.services[0].loaded.toSorted()).toEqual(variants.toSorted());
  }, PATIENT);

test('a subject stays with its variant, and about a tenth of the subjects get the challenger', async () => {
  const gateway = await createTestGateway();
  await split(gateway.control, tenth);
  await loaded(gateway, CHAMPION, GOLD, CHALLENGER);
  const first = await Promise.all(subjects.map(gateway.variantFor));
  const again = await Promise.all(subjects.map(gateway.variantFor));
  expect(again).toEqual(first);
  const challenged = first.filter((variant) => variant === CHALLENGER).length;
  expect(challenged).toBeGreaterThan(10);
  expect(challenged).toBeLessThan(55);
  expect(first.filter((variant) => variant === CHAMPION)).toHaveLength(subjects.length - challenged);
});

test('without a subject the same question from the same address stays with its variant', async () => {
  const gateway = await createTestGateway();
  await split(gateway.control, [
    { variant: CHAMPION, share: 0.5 },
    { variant: CHALLENGER, share: 0.5 },
  ]);
  await loaded(gateway, CHAMPION, GOLD, CHALLENGER);
  const ask = async (q: string) => (await gateway.get(`/v1/search?q=${q}`)).body.variant;
  const questions = Array.from({ length: 40 }, (_, at) => `question-${at}`);
  const first = await Promise.all(questions.map(ask));
  expect(new Set(first)).toEqual(new Set([CHAMPION, CHALLENGER]));
  expect(await Promise.all(questions.map(ask))).toEqual(first);
});

test('after a kill the very next answer, and every other one, comes from gold', async () => {
  const gateway = await createTestGateway();
  await split(gateway.control, tenth);
  await loaded(gateway, CHAMPION, GOLD, CHALLENGER);
  await kill(gateway.control);
  expect(new Set(await Promise.all(subjects.map(gateway.variantFor)))).toEqual(new Set([GOLD]));
});

test('a kill by another process holds from the next answer on, and a store that is held by one keeps nobody waiting', async () => {
  const store = join(temporaryFolder(), 'control.db');
  const gateway = await createTestGateway({ store });
  expect(await gateway.variantFor('anyone')).toBe(CHAMPION);
  const other = sqliteControl(store);
  await kill(other);
  other.close();
  expect(await gateway.variantFor('anyone')).toBe(GOLD);

  const holder = new DatabaseSync(store);
  holder.exec('BEGIN EXCLUSIVE');
  expect(await gateway.variantFor('anyone')).toBe(GOLD);
  expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([]);
  holder.close();
});

test('a kill that comes while a variant is still loading holds for the request that waits for it', async () => {
  const engine = playedEngine();
  const finish = new Map<string, () => void>();
  for (const id of [CHAMPION, GOLD, CHALLENGER]) {
    engine.waits.set(id, new Promise((resolve) => finish.set(id, resolve)));
  }
  const load = vi.spyOn(engine, 'load');
  const { control, variantFor } = await createTestGateway({ engine });
  await split(control, [{ variant: CHALLENGER, share: 1 }]);
  const answer = variantFor('anyone');
  await vi.waitFor(() => expect(load).toHaveBeenCalledWith(CHALLENGER));
  await kill(control);
  finish.get(CHALLENGER)?.();
  finish.get(GOLD)?.();
  expect(await answer).toBe(GOLD);
});

test('a variant whose digest does not match is never served: the champion answers, counted and logged', async () => {
  const gateway = await createTestGateway();
  gateway.engine.damaged.add(CHALLENGER);
  await split(gateway.control, [{ variant: CHALLENGER, share: 1 }]);
  expect(new Set(await Promise.all(subjects.slice(0, 20).map(gateway.variantFor)))).toEqual(new Set([CHAMPION]));
  const { text } = await gateway.get('/metrics');
  expect(text).toMatch(/pawl_gateway_fallbacks_total\{service="docs",because="variant"\} 20/);
  const told = gateway.lines.filter(({ level, about }) => level === 'error' && about.variant === CHALLENGER);
  expect(told).toHaveLength(1);
  expect(told[0]?.about.err).toMatchObject({ type: 'DigestMismatch' });
});

test('where the champion is damaged, gold answers', async () => {
  const engine = playedEngine();
  engine.damaged.add(CHAMPION);
  const { variantFor } = await createTestGateway({ engine });
  expect(await variantFor('anyone')).toBe(GOLD);
});

test('where nothing can be served the error says why, and what was mended is tried again after a while', async () => {
  let now = 0;
  const engine = playedEngine();
  for (const id of [CHAMPION, GOLD]) engine.damaged.add(id);
  const { get, variantFor } = await createTestGateway({ engine, now: () => now });
  const { status, body, headers } = await get('/v1/search?q=x');
  expect({ status, type: body.error.type }).toEqual({ status: 503, type: 'Unavailable' });
  expect(body.error.message).toContain(`${GOLD} is damaged`);
  expect(headers.get('retry-after')).toBe('1');
  expect((await get('/ready')).status).toBe(503);

  engine.damaged.clear();
  expect((await get('/v1/search?q=x')).status).toBe(503);
  now += 5_000;
  expect(await variantFor('anyone')).toBe(CHAMPION);
});

test('a challenger that is still loading keeps nobody waiting', async () => {
  const gateway = await createTestGateway();
  await loaded(gateway, CHAMPION, GOLD);
  gateway.engine.waits.set(CHALLENGER, new Promise(() => {}));
  await split(gateway.control, [{ variant: CHALLENGER, share: 1 }]);
  expect(await gateway.variantFor('anyone')).toBe(CHAMPION);
});

test('while the store cannot be read, gold serves, and the row is back with the store', async () => {
  const gateway = await createTestGateway();
  await loaded(gateway, CHAMPION, GOLD);
  const read = vi.spyOn(gateway.control, 'state').mockRejectedValue(new PawlError('Unavailable', 'the disk is gone'));
  expect(new Set(await Promise.all(subjects.slice(0, 20).map(gateway.variantFor)))).toEqual(new Set([GOLD]));
  expect(gateway.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  read.mockRestore();
  expect(await gateway.variantFor('anyone')).toBe(CHAMPION);
});

test('what serves can be read, and a service that is not served here is not found', async () => {
  const gateway = await createTestGateway();
  const state = await gateway.control.state('docs');
  expect((await gateway.get('/v1/traffic')).body).toEqual(state);
  expect((await gateway.get('/v1/traffic?service=docs')).body).toEqual(state);
  const unknown = await gateway.get('/v1/traffic?service=nowhere');
  expect({ status: unknown.status, type: unknown.body.error.type }).toEqual({ status: 404, type: 'NotFound' });
});

test('a read of the row that comes late changes nothing that is kept ready', async () => {
  const engine = playedEngine();
  const late = Promise.withResolvers<ServiceState | null>();
  const reads: Array<Promise<ServiceState | null>> = [];
  let store: Pick<ControlStore, 'state'> | null = null;
  const state = async (service: string) => (await reads.shift()) ?? (await store?.state(service)) ?? null;
  const gateway = await createTestGateway({ engine, control: { state } });
  store = gateway.control;
  expect(await gateway.variantFor('one')).toBe(CHAMPION);
  const before = await gateway.control.state('docs');
  reads.push(late.promise);
  const slow = gateway.variantFor('two');
  await vi.waitFor(() => expect(reads).toEqual([]), PATIENT);
  await split(gateway.control, tenth);
  await loaded(gateway, CHAMPION, GOLD, CHALLENGER);
  late.resolve(before);
  await slow;
  expect(engine.released).toEqual([]);
});
