/** Answers that are put together of two variants' lists. */
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { Arm, ServiceState } from '../../contracts/traffic.ts';
import { teamDraft, winnerOf } from '../../domain/interleaving.ts';
import { hash32 } from '../../domain/random.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import { createServedService } from '../../gateway/served-service.ts';
import { CHALLENGER, CHAMPION, createTestGateway, GOLD, kill, playedEngine, split } from '../support/gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Gateway = Awaited<ReturnType<typeof createTestGateway>>;
const PATIENT = { timeout: 30_000 };
const everything = { service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER };
const half: readonly Arm[] = [CHAMPION, CHALLENGER].map((variant) => ({ variant, share: 0.5, interleave: true }));
const ten = (variant: string) => Array.from({ length: 10 }, (_, at) => `${variant}/${at}`);

const ready = ({ get }: Gateway, ...variants: string[]) =>
  vi.waitFor(async () => {
    const { body } = await get('/status');
    expect(body.services[0].loaded).toEqual(expect.arrayContaining(variants));
  }, PATIENT);
const interleaving = async (over: Parameters<typeof createTestGateway>[0] = {}, arms = half) => {
  const gateway = await createTestGateway(over);
  await split(gateway.control, arms);
  await ready(gateway, CHAMPION, GOLD, CHALLENGER);
  return gateway;
};
const ask = async ({ get }: Gateway, subject = 'jane') =>
  (await get('/v1/search?q=hello', { headers: { 'x-pawl-subject': subject } })).body;
const fails = async () => {
  throw new Error('no such table');
};
const idsOf = ({ hits }: { hits: ReadonlyArray<{ id: string }> }) => hits.map(({ id }) => id);

test('an answer is drafted from both lists in turns, says so, and can be drafted again from its id', async () => {
  const gateway = await interleaving();
  const bodies = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(gateway, `user-${n}`)));
  // Whoever would have answered alone.
  expect(new Set(bodies.map(({ variant }) => variant))).toEqual(new Set([CHAMPION, CHALLENGER]));
  await gateway.app.close();
  const rows = new Map((await gateway.queryLog.read(everything)).map((row) => [row.answer, row]));
  expect(rows.size).toBe(12);
  for (const { answer, variant, ...body } of bodies) {
    // In the order of their names.
    const rankings = { a: ten(CHALLENGER), b: ten(CHAMPION) };
    const { ranked, teams } = teamDraft(rankings, { k: 10, seed: hash32(answer) });
    expect(body).toMatchObject({ experiment: '0.1', interleaved: true });
    expect(idsOf(body as typeof body & { hits: [] })).toEqual(ranked);
    const row = rows.get(answer);
    expect(row).toMatchObject({ variant, experiment: '0.1', error: null, ranked });
    expect(row?.teams).toEqual({ [CHALLENGER]: teams.a, [CHAMPION]: teams.b });
    expect(row?.cost).toBeCloseTo(0.002, 12);
  }
});

test('what each of the two found by itself is told too, as its own and of this answer', async () => {
  const gateway = await interleaving({ subjectHash: (subject) => `hash of ${subject}` });
  const { answer } = await ask(gateway);
  await gateway.app.close();
  for (const variant of [CHAMPION, CHALLENGER]) {
    const rows = await gateway.queryLog.read({ ...everything, variant });
    expect(rows).toMatchObject([{ variant, ranked: ten(variant), of: answer, error: null, subject: 'hash of jane' }]);
    expect(rows[0]).not.toHaveProperty('teams');
  }
  expect(await gateway.queryLog.read({ ...everything, mirrored: true })).toEqual([]);
});

test('a click is won by the variant that brought the document in', async () => {
  const path = join(temporaryFolder(), 'metrics.db');
  const [queryLog, feedback] = [sqliteQueryLog(path), sqliteFeedback(path)];
  onTestFinished(() => {
    queryLog.close();
    feedback.close();
  });
  const gateway = await interleaving({ queryLog, now: () => 1_000 });
  const { answer, hits } = await ask(gateway);
  await gateway.app.close();
  const document = idsOf({ hits }).find((id) => id.startsWith(CHALLENGER)) ?? '';
  const click = { kind: 'click', answer, document, position: 1 } as const;
  await feedback.add({ at: 1_001, tenant: 'default', by: null, mayJudge: false, events: [click] });
  expect((await feedback.received(everything)).map(winnerOf)).toEqual([CHALLENGER]);
});

test('everybody in the share of either gets a list of both; the others get their own variant', async () => {
  const arms: readonly Arm[] = [
    { variant: CHAMPION, share: 0.3, interleave: true },
    { variant: CHALLENGER, share: 0.2, interleave: true },
    { variant: GOLD, share: 0.5 },
  ];
  const gateway = await interleaving({}, arms);
  const bodies = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(gateway, `user-${n}`)));
  expect(new Set(bodies.map(({ variant }) => variant))).toEqual(new Set([CHAMPION, CHALLENGER, GOLD]));
  for (const body of bodies) {
    const from = new Set(idsOf(body).map((id) => id.split('/')[0]));
    expect(from).toEqual(new Set(body.variant === GOLD ? [GOLD] : [CHAMPION, CHALLENGER]));
    expect(body.interleaved).toBe(body.variant === GOLD ? undefined : true);
  }
});

test.each([CHAMPION, CHALLENGER])(
  'where %s fails, the list of the other one is the answer, and the log says so',
  async (failing) => {
    const gateway = await interleaving();
    gateway.engine.plays.set(failing, fails);
    const left = failing === CHAMPION ? CHALLENGER : CHAMPION;
    // Some of them would have been answered by the one that fails.
    const bodies = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(gateway, `user-${n}`)));
    for (const body of bodies) {
      expect(body).toMatchObject({ variant: left, experiment: '0.1' });
      expect(body).not.toHaveProperty('interleaved');
      expect(idsOf(body)).toEqual(ten(left));
    }
    await gateway.app.close();
    const answers = await gateway.queryLog.read(everything);
    expect(answers).toHaveLength(12);
    for (const row of answers) expect(row).toMatchObject({ variant: left, error: null, teams: { [left]: ten(left) } });
    const failed = await gateway.queryLog.read({ ...everything, variant: failing });
    expect(failed.map(({ error, of }) => [error, of]).toSorted()).toEqual(
      bodies.map(({ answer }) => ['Internal', answer]).toSorted(),
    );
    expect(await gateway.queryLog.read({ ...everything, variant: left })).toHaveLength(12);
  },
);

test('where both fail the request fails, once, and each error is told of its variant', async () => {
  const gateway = await interleaving();
  for (const { variant } of half) gateway.engine.plays.set(variant, fails);
  expect((await gateway.get('/v1/search?q=x')).status).toBe(500);
  await gateway.app.close();
  const answers = await gateway.queryLog.read(everything);
  expect(answers.map(({ error, teams }) => ({ error, teams }))).toEqual([{ error: 'Internal', teams: {} }]);
  for (const { variant } of half) expect(await gateway.queryLog.read({ ...everything, variant })).toHaveLength(1);
});

test('where one of the two is not ready, the one that the subject is assigned to answers alone', async () => {
  const engine = playedEngine();
  engine.waits.set(CHALLENGER, new Promise(() => {}));
  const gateway = await createTestGateway({ engine });
  await split(gateway.control, half);
  await ready(gateway, CHAMPION);
  const body = await ask(gateway);
  expect({ variant: body.variant, interleaved: body.interleaved }).toEqual({
    variant: CHAMPION,
    interleaved: undefined,
  });
  expect(idsOf(body)).toEqual(ten(CHAMPION));
});

test('a kill ends it: the next answer is of gold alone', async () => {
  const gateway = await interleaving();
  await kill(gateway.control);
  const body = await ask(gateway);
  expect(idsOf(body)).toEqual(ten(GOLD));
  expect(body).toMatchObject({ variant: GOLD, experiment: null });
  expect(body).not.toHaveProperty('interleaved');
});

test('a tester gets the variant that they name, by itself', async () => {
  const gateway = await interleaving();
  const { body } = await gateway.get('/v1/search?q=x', { headers: { 'x-pawl-variant': CHALLENGER } });
  expect(idsOf(body)).toEqual(ten(CHALLENGER));
  expect(body).not.toHaveProperty('interleaved');
});

test('whoever takes too long has no part in the answer, and keeps nobody waiting for ever', async () => {
  const engine = playedEngine();
  const { promise, resolve } = Promise.withResolvers<{ hits: []; cpuMs: 0 }>();
  engine.plays.set(CHALLENGER, () => promise);
  const state: ServiceState = {
    ...{ service: 'docs', latch: 'armed', because: '', epoch: 0, promotion: 1, champion: CHAMPION, gold: CHAMPION },
    arms: half,
  };
  const quiet = () => undefined;
  const rows: ServedQuery[] = [];
  const service = createServedService(
    { service: 'docs', engine, cpuHour: 0 },
    {
      control: { state: async () => state },
      metrics: createMetrics(() => ({ hits: 0, misses: 0, troubles: 0 })),
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      now: () => 0,
      served: (row) => rows.push(row),
      search: async (_service, _id, variant, question) => ({ ...(await variant.search(question)), cached: false }),
      patienceMs: 1,
    },
  );
  await service.prepare();
  await vi.waitFor(() => expect(service.shelf.loaded()).toHaveLength(2), PATIENT);
  const question = { query: 'q', k: 10, tenant: 'default', filter: {}, subject: 'jane', elapsedMs: () => 1 };
  expect(await service.ask(question)).toMatchObject({ variant: CHAMPION });
  expect(rows.map(({ variant, error }) => [variant, error]).toSorted()).toEqual([
    [CHALLENGER, 'Unavailable'],
    [CHAMPION, null],
    [CHAMPION, null],
  ]);
  resolve({ hits: [], cpuMs: 0 });
  await service.close();
});
