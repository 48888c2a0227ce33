import { expect, test, vi } from 'vitest';
import { CHALLENGER, CHAMPION, createTestGateway, GOLD, kill, playedEngine, split } from '../support/gateway.ts';

test('health answers whatever the state; readiness waits for a variant and an index', async () => {
  let loaded = () => {};
  const engine = playedEngine();
  engine.waits.set(CHAMPION, new Promise((resolve) => (loaded = resolve)));
  engine.waits.set(GOLD, new Promise(() => {}));
  const { get } = await createTestGateway({ engine });
  expect(await get('/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await get('/ready')).toMatchObject({ status: 503, body: { error: { type: 'Unavailable' } } });
  loaded();
  await vi.waitFor(async () => expect((await get('/ready')).status).toBe(200));
});

test('without an index nothing is ready, and the reason is told', async () => {
  const engine = playedEngine();
  engine.index = () => ({ state: 'failed', because: 'the corpus is gone', corpus: null, documents: 0 });
  const { get } = await createTestGateway({ engine });
  const { status, body } = await get('/ready');
  expect({ status, message: body.error.message }).toEqual({ status: 503, message: 'docs: the corpus is gone' });
});

test('the status shows latch, traffic, what is loaded and the index of every service', async () => {
  const { get, control } = await createTestGateway();
  await get('/v1/search?q=a');
  await kill(control);
  const { status, body } = await get('/status');
  expect(status).toBe(200);
  expect(body.services).toMatchObject([
    {
      service: 'docs',
      latch: 'killed',
      epoch: 1,
      gold: GOLD,
      arms: [{ variant: GOLD, share: 1 }],
      index: { documents: 3 },
    },
  ]);
  expect(body.queryLog).toEqual({ dropped: 0 });
});

test('metrics are well formed, tell what happened, and name no variant', async () => {
  const { get, control } = await createTestGateway();
  await split(control, [
    { variant: CHAMPION, share: 0.75 },
    { variant: CHALLENGER, share: 0.25 },
  ]);
  await get('/v1/search?q=a');
  await get('/v1/search?q=');
  await get('/who/knows/what');
  await kill(control);
  const { status, text, headers } = await get('/metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/plain');
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    expect(line).toMatch(/^[a-z_]+(\{([a-z]+="[^"\n]*",?)+\})? (\d+(\.\d+)?(e[+-]?\d+)?|\+Inf|NaN)$/);
  }
  expect(text).toContain('pawl_gateway_requests_total{route="/v1/search",status="200"} 1');
  expect(text).toContain('pawl_gateway_requests_total{route="/v1/search",status="400"} 1');
  expect(text).toContain('pawl_gateway_requests_total{route="none",status="404"} 1');
  expect(text).toContain('pawl_gateway_request_seconds_count{route="/v1/search"} 2');
  expect(text).toContain('pawl_kill_epoch{service="docs"} 1');
  expect(text).toContain('pawl_latch{service="docs",latch="killed"} 1');
  expect(text).toContain('pawl_traffic_share{service="docs",role="champion"} 1');
  for (const secret of [CHAMPION, CHALLENGER, GOLD, 'who', 'knows']) expect(text).not.toContain(secret);
});

test('the shares of the arms are told by role', async () => {
  const { get, control } = await createTestGateway();
  await split(control, [
    { variant: CHAMPION, share: 0.5 },
    { variant: GOLD, share: 0.25 },
    { variant: CHALLENGER, share: 0.25 },
  ]);
  const { text } = await get('/metrics');
  expect(text).toContain('pawl_traffic_share{service="docs",role="champion"} 0.5');
  expect(text).toContain('pawl_traffic_share{service="docs",role="gold"} 0.25');
  expect(text).toContain('pawl_traffic_share{service="docs",role="challenger"} 0.25');
});

test('the OpenAPI document names every path that the gateway serves', async () => {
  const { get } = await createTestGateway();
  const { status, body } = await get('/openapi.json');
  expect(status).toBe(200);
  expect(body.openapi).toMatch(/^3\./);
  expect(Object.keys(body.paths).toSorted()).toEqual(
    [
      ...['/health', '/metrics', '/ready', '/status', '/v1/search', '/v1/context', '/v1/traffic', '/v1/feedback'],
      ...['/v1/documents', '/v1/documents/remove'],
      ...['/v1/keys', '/v1/keys/claim', '/v1/keys/{id}', '/v1/keys/{id}/rotate'],
    ].toSorted(),
  );
  const { parameters } = body.paths['/v1/search'].get;
  expect(parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
    ['q', true],
    ['k', false],
    ['service', false],
    ['explain', false],
  ]);
});

test('old served queries are forgotten', async () => {
  const pruned: number[] = [];
  const queryLog = { append: async () => undefined, prune: async (before: number) => pruned.push(before) };
  await createTestGateway({ queryLog, now: () => 10_000, retentionMs: 4_000 });
  expect(pruned).toEqual([6_000]);
});
