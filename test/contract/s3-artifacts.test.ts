import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3Artifacts } from '../../adapters/artifacts/s3.ts';
import type { S3Deps } from '../../adapters/artifacts/s3-client.ts';
import { homeChecks } from '../../infra/doctor/home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { doorTo, hasS3Server, KEYS, type S3Server, startS3Server } from '../support/s3.ts';
import { describeArtifactStore } from './artifact-store.ts';

describe.skipIf(!hasS3Server)('artifacts on S3', () => {
  let server: S3Server;
  let homes = 0;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  const open = (deps: Partial<S3Deps> = {}) =>
    s3Artifacts({ location: server.location, credentials: KEYS, now: Date.now, ...deps });
  const fileOf = ({ sha256 }: { sha256: string }): string =>
    join(server.folder, 'home', 'sha256', sha256.slice(0, 2), sha256);

  describeArtifactStore('S3', async () => {
    homes += 1;
    return open({ location: { ...server.location, prefix: `home-${homes}` } });
  });

  test('an artifact is one object below the prefix, named by its digest', async () => {
    expect(readFileSync(fileOf(await open().put('bytes')), 'utf8')).toBe('bytes');
  });

  test('a bucket without a prefix holds them at its root', async () => {
    const { sha256 } = await open({ location: { ...server.location, prefix: '' } }).put('at the root');
    expect(readFileSync(join(server.folder, 'sha256', sha256.slice(0, 2), sha256), 'utf8')).toBe('at the root');
  });

  test('megabytes go there and come back', async () => {
    const bytes = Buffer.alloc(9_000_001, 'pawl');
    expect((await open().get(await open().put(bytes))).equals(bytes)).toBe(true);
  });

  test('a damaged object is never handed out, and the error names the object, what it should hold and what it holds', async () => {
    const ref = await open().put('right');
    const { sha256: other } = await open().put('wrong');
    writeFileSync(fileOf(ref), 'wrong');
    const error = await open()
      .get(ref)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'DigestMismatch', hint: expect.stringContaining('earlier version') });
    expect(String(error)).toContain(`shared/home/sha256/${ref.sha256.slice(0, 2)}/${ref.sha256}`);
    expect(String(error)).toContain(other);
  });

  test('putting the right bytes mends a damaged object', async () => {
    const ref = await open().put('whole');
    writeFileSync(fileOf(ref), 'cut');
    await open().put('whole');
    expect((await open().get(ref)).toString()).toBe('whole');
  });

  test('what is there is read and not written again', async () => {
    const { location, calls } = await doorTo(server);
    const store = open({ location });
    const { ino, mtimeMs } = statSync(fileOf(await store.put('once')));
    expect(statSync(fileOf(await store.put('once')))).toMatchObject({ ino, mtimeMs });
    expect(calls).toEqual(['PUT 200', 'PUT 412', 'GET 200']);
  });

  test('a server that knows no conditions is written to without one', async () => {
    const { location, calls, fail } = await doorTo(server);
    fail([501, 'NotImplemented']);
    const store = open({ location, pause: () => Promise.reject(new Error('it tried again')) });
    expect((await store.get(await store.put('plain'))).toString()).toBe('plain');
    expect(calls).toEqual(['PUT 501', 'PUT 200', 'GET 200']);
  });

  test('trouble that passes is waited for, a little longer each time', async () => {
    const { location, fail, calls } = await doorTo(server);
    const pauses: number[] = [];
    const store = open({ location, pause: async (ms) => pauses.push(ms) });
    fail([503, 'SlowDown'], 'hang up', [429, 'TooManyRequests'], [500, 'InternalError']);
    const ref = await store.put('in the end');
    fail('half', [409, 'ConditionalRequestConflict']);
    expect((await store.get(ref)).toString()).toBe('in the end');
    expect(pauses).toHaveLength(6);
    for (const [n, least] of [100, 200, 400, 800, 100, 200].entries()) {
      expect(pauses[n]).toBeGreaterThanOrEqual(least);
      expect(pauses[n]).toBeLessThanOrEqual(2 * least);
    }
    expect(calls.at(-1)).toBe('GET 200');
  });

  test.each([
    ['a connection that is closed', 'hang up', /UND_ERR_SOCKET|ECONNRESET/],
    ['silence', 'silence', /UND_ERR_HEADERS_TIMEOUT/],
    ['a busy server', [503, 'SlowDown'], /SlowDown/],
  ] as const)('the fifth attempt is the last: %s', async (_, fault, because) => {
    const { location, fail } = await doorTo(server);
    let pauses = 0;
    const store = open({ location, silenceMs: 50, pause: async () => (pauses += 1) });
    fail('hang up', [500, 'InternalError'], 'hang up', [429, 'TooManyRequests'], fault);
    const error = await store.put('never').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'Unavailable', message: expect.stringMatching(because) });
    expect(String(error)).toContain(location.endpoint);
    expect(pauses).toBe(4);
  });

  const HOUR_MS = 3_600_000;
  test.each<[string, () => Partial<S3Deps>, RegExp, RegExp]>([
    ['a wrong secret', () => ({ credentials: { ...KEYS, secret: 'no' } }), /does not know these keys/, /AWS_SECRET/],
    [
      'unknown keys',
      () => ({ credentials: { ...KEYS, keyId: 'no' } }),
      /does not know these keys/,
      /AWS_ACCESS_KEY_ID/,
    ],
    [
      'a clock that is ahead',
      () => ({ now: () => Date.now() + HOUR_MS }),
      /clock is 3[56]\d\d s ahead of the server's \(RequestTimeTooSkewed\)/,
      /NTP/,
    ],
    [
      'no such bucket',
      () => ({ location: { ...server.location, bucket: 'missing' } }),
      /missing: there is no such bucket/,
      /Make the bucket/,
    ],
    [
      'another region',
      () => ({ location: { ...server.location, region: 'us-west-2' } }),
      /region us-west-2/,
      /`region`/,
    ],
  ])('%s is said at once, with what to do, on every way in', async (_, wrong, message, hint) => {
    const store = open({ ...wrong(), pause: () => Promise.reject(new Error('it tried again')) });
    const right = await open().put('there');
    const refused = { type: 'Unavailable', message: expect.stringMatching(message), hint: expect.stringMatching(hint) };
    await expect(store.put('x')).rejects.toMatchObject(refused);
    await expect(store.get(right)).rejects.toMatchObject(refused);
    await expect(store.has(right)).rejects.toMatchObject(refused);
  });

  test('a web server that knows no artifacts is not taken for a bucket without any', async () => {
    const { location, fail } = await doorTo(server);
    fail([404, 'Not Found']);
    await expect(open({ location }).has(await open().put('x'))).rejects.toMatchObject({
      hint: expect.stringContaining('speaks S3'),
    });
  });

  test.each([
    ['keys that may not read', [403, 'AccessDenied'], /may not do this here/, /s3:ListBucket/],
    ['a session that has ended', [400, 'ExpiredToken'], /session has ended/, /AWS_SESSION_TOKEN/],
    ['a bucket that lies elsewhere', [301, 'PermanentRedirect'], /lies in another/, /`region` or `endpoint`/],
    ['a reason of its own', [400, 'constructor'], /gives no reason \(constructor\)/, /what its log says/],
  ] as const)('%s is said at once, with what to do', async (_, fault, message, hint) => {
    const { location, fail, calls } = await doorTo(server);
    const refused = { type: 'Unavailable', message: expect.stringMatching(message), hint: expect.stringMatching(hint) };
    fail(fault);
    await expect(open({ location }).put('x')).rejects.toMatchObject(refused);
    expect(calls).toEqual([`PUT ${fault[0]}`]);
  });

  test('an attempt that waited is signed anew, for the moment at which it is made', async () => {
    const { location, fail } = await doorTo(server);
    let late = HOUR_MS;
    const store = open({ location, now: () => Date.now() - late, pause: async () => (late = 0) });
    fail([503, 'SlowDown']);
    expect((await open().get(await store.put('after an hour'))).toString()).toBe('after an hour');
  });

  test('`pawl doctor` says whether the bucket answers these keys', async () => {
    const { endpoint, region } = server.location;
    const check = async (bucket: string) => {
      const environment = readEnvironment({
        PAWL_HOME: server.folder,
        PAWL_ARTIFACTS: `s3://${bucket}/home?endpoint=${endpoint}&region=${region}`,
        AWS_ACCESS_KEY_ID: KEYS.keyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secret,
      });
      return (await homeChecks(environment)).find(({ name }) => name === 'Artifacts');
    };
    expect(await check('shared')).toMatchObject({ state: 'ok', found: `the bucket shared at ${endpoint}` });
    expect(await check('nowhere')).toMatchObject({ state: 'failed', mend: expect.stringContaining('Make the bucket') });
  });

  test('a full server is an error of its own', async () => {
    const { location, fail } = await doorTo(server);
    fail([507, 'XMinioStorageFull']);
    await expect(open({ location }).put('too much')).rejects.toMatchObject({ type: 'DiskFull' });
  });

  test('no error holds a key, a secret, a token or what was signed', async () => {
    const { location, fail } = await doorTo(server);
    const credentials = { keyId: 'KEY-ID-8150', secret: 'SECRET-3381', token: 'TOKEN-9277' };
    const store = open({ location, credentials, silenceMs: 50, pause: async () => undefined });
    const errors = [await store.put('x').catch(inspectAll)];
    for (const fault of ['hang up', 'silence', 'half'] as const) {
      fail('hang up', 'hang up', 'hang up', 'hang up', fault);
      errors.push(await store.put('x').catch(inspectAll));
    }
    expect(errors).toHaveLength(4);
    for (const error of errors) expect(error).not.toMatch(/KEY-ID-8150|SECRET-3381|TOKEN-9277|AWS4-HMAC/);
  });
});

const inspectAll = (error: unknown): string => inspect(error, { depth: 20, showHidden: true });
