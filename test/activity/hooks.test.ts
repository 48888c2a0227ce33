import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { callHook } from '../../adapters/router/hooks.ts';
import { isSigned } from '../../docs/examples/route-traffic.mjs';
import { ROUTER_SECRET as SECRET } from '../support/route-server.ts';

type Answering = (response: ServerResponse, nth: number) => void;
const receiver = async (...answers: readonly Answering[]) => {
  const received: Array<{ request: IncomingMessage; body: string }> = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ request, body });
      const answer = answers[Math.min(received.length, answers.length) - 1];
      answer?.(response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const call = (timeoutMs = 20_000, allow = [`127.0.0.1:${port}`]) =>
    callHook(
      { name: 'warm-up', runs: { url: `http://127.0.0.1:${port}/warm?fast=1` }, timeoutMs },
      { key: 'pawl:docs:canary:si_2026_11_21_001/hook/1', service: 'docs', what: 'canary 1: 5 %' },
      { secret: async () => SECRET, now: Date.now, allow },
    );
  return { call, received };
};
const status =
  (code: number, body = ''): Answering =>
  (response) =>
    response.writeHead(code).end(body);

test('a hook is sent what it is about, with its key, signed', async () => {
  const { call, received } = await receiver(status(204));
  expect(await call()).toEqual({ ok: true, because: 'it answered with 204' });
  const [{ request, body }] = received as [(typeof received)[number]];
  expect(JSON.parse(body)).toEqual({
    ...{ hook: 'warm-up', service: 'docs', what: 'canary 1: 5 %' },
    key: 'pawl:docs:canary:si_2026_11_21_001/hook/1',
  });
  const sent = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
  expect(isSigned(sent, { secret: SECRET })).toBe(true);
  expect(isSigned({ ...sent, path: '/warm' }, { secret: SECRET })).toBe(false);
});

test.each([
  [status(200, '{"ok":false,"because":"the cache is cold"}'), { ok: false, because: 'the cache is cold' }],
  [status(200, '{"ok":false}'), { ok: false, because: 'it said no' }],
  [status(200, '{"ok":true,"because":"warm"}'), { ok: true, because: 'warm' }],
  [status(200, '{"ok":"no","because":7}'), { ok: true, because: 'it answered with 200' }],
  [status(202, 'fine'), { ok: true, because: 'it answered with 202' }],
  [status(403), { ok: false, because: expect.stringContaining('403') }],
  [status(302), { ok: false, because: expect.stringContaining('redirect') }],
])('what it answers is a yes or a no (%#)', async (answer, said) => {
  const { call, received } = await receiver(answer);
  expect(await call()).toEqual(said);
  expect(received).toHaveLength(1);
});

test('trouble that may pass is tried again with the same key, within the time that it has', async () => {
  const { call, received } = await receiver(status(503), (response) => response.destroy(), status(200));
  expect(await call()).toMatchObject({ ok: true });
  expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  expect(received).toHaveLength(3);
});

test('silence is a no', async () => {
  const { call } = await receiver(() => undefined);
  expect(await call(300)).toEqual({ ok: false, because: expect.stringContaining('did not answer') });
});

test('an answer that is longer than one reads is no yes', async () => {
  const { call } = await receiver(status(200, `{"ok":true,"because":"${'x'.repeat(20_000)}"}`));
  expect(await call(300)).toMatchObject({ ok: false });
});

test('abuse: an address of this machine that nobody allowed is not called', async () => {
  const { call, received } = await receiver(status(200));
  expect(await call(20_000, [])).toMatchObject({ ok: false, because: expect.stringContaining('https') });
  expect(received).toEqual([]);
});

test('a hook that is an activity has no address', async () => {
  const runs = { activity: 'warmUp', taskQueue: 'docs' };
  const called = callHook(
    { name: 'warm-up', runs, timeoutMs: 1 },
    { key: 'k' },
    {
      ...{ secret: async () => SECRET, now: Date.now, allow: [] },
    },
  );
  await expect(called).rejects.toMatchObject({ type: 'Usage' });
});
