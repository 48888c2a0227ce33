import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';
import { postgresQueryLog } from '../../adapters/query-log/postgres.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { describeQueryLog } from './query-log.ts';

const served = (at: number, over: Partial<ServedQuery> = {}): ServedQuery => ({
  ...{ at, service: 'docs', variant: 'v1', query: 'how?', ranked: ['a'], latencyMs: 1, error: null, cost: 0, ...over },
});
const enrolled = (at: number, subject: string, answer: string): ServedQuery =>
  served(at, { subject, answer, experiment: 'e', phase: 0.5 });
const ALL = { service: 'docs', from: 0, to: 1e6 };
const EXPOSED = {
  ...{ service: 'docs', experiment: 'e', variants: ['v1', 'v2'] as const },
  ...{ after: { at: -1, subject: '' }, to: 1e6, limit: 10_000 },
};

describe.skipIf(postgresPrograms === null)('on PostgreSQL', () => {
  const server = postgresServer({ synchronous_commit: 'off', deadlock_timeout: '60s' });
  describeQueryLog('PostgreSQL', () => postgresQueryLog(server.address()));

  const gateways = (count = 2, address = server.address()) => {
    const logs = Array.from({ length: count }, () => postgresQueryLog(address));
    onTestFinished(() => {
      for (const log of logs) log.close();
    });
    return logs as [QueryLog, ...QueryLog[]];
  };

  test('what several gateways write at once is all there, and a subject that met all of them is exposed once', async () => {
    const [first, ...others] = gateways(3);
    const subjects = Array.from({ length: 200 }, (_, n) => `s${n}`);
    const batches = [first, ...others].map((log, gateway) =>
      // Each begins elsewhere: in an order of their own they would wait for each other in a circle.
      Array.from({ length: 5 }, async (_, batch) => {
        const turned = [...subjects.slice(gateway * 70), ...subjects.slice(0, gateway * 70)];
        await log.append(turned.map((subject, at) => enrolled(at, subject, `${gateway}/${batch}/${subject}`)));
      }),
    );
    await Promise.all(batches.flat());
    expect(await first.count({ ...ALL, variant: 'v1' })).toBe(3 * 5 * 200);
    expect(await first.exposures(EXPOSED)).toHaveLength(200);
    expect(await first.subjects({ ...ALL, most: 1 })).toMatchObject({ count: 200 });
  });

  test('gateways that expose the same subjects in other orders do not wait for each other in a circle', async () => {
    const address = server.address();
    const [one, other] = gateways(2, address) as [QueryLog, QueryLog];
    await one.append([enrolled(1, 'first', 'x'), served(1, { answer: 'held' })]);
    const batch = (by: string, subjects: readonly string[]) => subjects.map((s, n) => enrolled(n, s, `${by} ${s}`));
    await server.session(async (client) => {
      await client.query(
        `BEGIN; INSERT INTO ${schemaOf(address)}.exposures VALUES ('docs', 'e', 'm', 'v1', 0, 0, 'held')`,
      );
      const appending = [one.append(batch('one', ['a', 'm', 'z'])), other.append(batch('other', ['z', 'm', 'a']))];
      await server.waiting(2);
      await client.query('ROLLBACK');
      await Promise.all(appending);
    });
    expect(await one.exposures(EXPOSED)).toHaveLength(4);
  });

  test('gateways that prune at the same moment remove each row once', async () => {
    const [one, other] = gateways() as [QueryLog, QueryLog];
    await one.append(Array.from({ length: 12_000 }, (_, at) => served(at)));
    const removed = await Promise.all([one.prune(11_990), other.prune(11_990)]);
    expect(removed[0] + removed[1]).toBe(11_990);
    expect(await one.count({ ...ALL, variant: 'v1' })).toBe(10);
  });

  test('a row of which somebody tells something just now is left for the next time, and nobody waits for it', async () => {
    const address = server.address();
    const [log] = gateways(1, address);
    await log.append([served(1, { answer: 'told' }), served(2), served(3)]);
    await server.session(async (client) => {
      await client.query(`BEGIN; SELECT 1 FROM ${schemaOf(address)}.queries WHERE answer = 'told' FOR KEY SHARE`);
      expect(await log.prune(10)).toBe(2);
    });
    expect(await log.prune(10)).toBe(1);
  });

  test('texts that no database likes come back as they were', async () => {
    const [log] = gateways(1);
    const odd = served(1, { query: "nul \0 mark \uF8F0 '; DROP TABLE queries; --", ranked: ['\0', '\\u0000', '"'] });
    await log.append([odd]);
    expect(await log.read(ALL)).toEqual([odd]);
  });

  test('a home that names subjects under another secret is told so once, and what it served is kept all the same', async () => {
    const address = server.address();
    const logs = [postgresQueryLog(address, () => 'one'), postgresQueryLog(address, () => 'another')];
    onTestFinished(() => {
      for (const log of logs) log.close();
    });
    const told: string[] = [];
    const hear = ({ message }: Error) => told.push(message);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    for (const [n, log] of logs.entries()) {
      await log.append([served(1)]);
      for (const at of [2, 3]) await log.append([enrolled(at, 'ann', `${n}/${at}`)]);
    }
    expect(await logs[0]?.read(ALL)).toHaveLength(6);
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(told[0]).toContain('subjects.key');
  });

  test('while the server is away the log says so at once, and it takes the rows when the server is back', async () => {
    const [log] = gateways(1);
    await log.append([served(1, { answer: 'a' })]);
    await server.kill();
    await expect(log.append([served(2, { answer: 'b' })])).rejects.toMatchObject({
      type: 'Unavailable',
      hint: expect.any(String),
    });
    await server.start();
    await vi.waitFor(() => log.append([served(1, { answer: 'a' }), served(2, { answer: 'b' })]), 10_000);
    expect((await log.read(ALL)).map(({ answer }) => answer)).toEqual(['a', 'b']);
  });

  test('a log that is closed says so', async () => {
    const [log] = gateways(1);
    await log.append([served(1)]);
    log.close();
    await delay(0);
    await expect(log.append([served(2)])).rejects.toMatchObject({ type: 'Unavailable' });
  });
});

const schemaOf = (address: string): string => new URL(address).searchParams.get('schema') ?? '';
