/** What every QueryLog is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';

const served = (at: number, over: Partial<ServedQuery> = {}): ServedQuery => ({
  at,
  service: 'docs',
  variant: 'v1',
  query: 'how to "quote" ünïcode',
  ranked: ['d1', 'd2'],
  latencyMs: 1.5,
  error: null,
  cost: 0.000_01,
  ...over,
});

export const describeQueryLog = (name: string, make: () => QueryLog): void => {
  describe(`query log: ${name}`, () => {
    let log: QueryLog;
    beforeEach(() => {
      log = make();
    });
    afterEach(() => log.close());
    const times = async (filter: Omit<Parameters<QueryLog['read']>[0], 'service'>) =>
      (await log.read({ service: 'docs', ...filter })).map(({ at }) => at);

    test('what was served comes back as it was, oldest first', async () => {
      const failed = served(1, { ranked: [], error: 'Internal' });
      await log.append([served(3), failed]);
      await log.append([served(2)]);
      expect(await log.read({ service: 'docs', from: 0, to: 10 })).toEqual([failed, served(2), served(3)]);
    });

    test('who asked is kept where it was said, and is absent where it was not', async () => {
      await log.append([served(1, { subject: 'a hash' }), served(2)]);
      const [said, unsaid] = await log.read({ service: 'docs', from: 0, to: 10 });
      expect(said?.subject).toBe('a hash');
      expect(unsaid).not.toHaveProperty('subject');
    });

    test('an answer keeps its id, its tenant, its experiment and its teams; a row that comes again is kept once', async () => {
      const answered = served(1, { answer: 'x', tenant: 'acme', experiment: 'e1', teams: { v1: ['d1'], v2: ['d2'] } });
      await log.append([answered]);
      await log.append([answered, served(2)]);
      expect(await log.read({ service: 'docs', from: 0, to: 10 })).toEqual([answered, served(2)]);
    });

    test('what was mirrored comes where it is asked for, and then alone; it is what it was', async () => {
      const copy = served(2, { variant: 'v2', answer: 'own', of: 'x', mirrored: true, subject: 'a hash' });
      await log.append([served(1, { answer: 'x' }), copy]);
      await log.append([copy]);
      expect(await times({ from: 0, to: 10 })).toEqual([1]);
      expect(await times({ from: 0, to: 10, variant: 'v2' })).toEqual([]);
      expect(await log.read({ service: 'docs', from: 0, to: 10, mirrored: true })).toEqual([copy]);
      expect(await times({ from: 0, to: 10, mirrored: true, variant: 'v2' })).toEqual([2]);
      expect(await times({ from: 0, to: 10, mirrored: true, variant: 'v1' })).toEqual([]);
    });

    test('an answer of two is among the answers, and of one variant comes what it found for it by itself', async () => {
      const teams = { v1: ['d1'], v2: ['d2'] };
      const parts = [served(2, { answer: 'y', of: 'x' }), served(3, { answer: 'z', of: 'x', variant: 'v2' })];
      await log.append([served(1, { answer: 'x', teams }), ...parts, served(4)]);
      expect(await times({ from: 0, to: 10 })).toEqual([1, 4]);
      expect(await times({ from: 0, to: 10, variant: 'v1' })).toEqual([2, 4]);
      expect(await log.read({ service: 'docs', from: 0, to: 10, variant: 'v2' })).toEqual(parts.slice(1));
    });

    test('a window holds its beginning and not its end', async () => {
      await log.append([1, 2, 3, 4].map((at) => served(at)));
      expect(await times({ from: 2, to: 4 })).toEqual([2, 3]);
    });

    test('with a limit the newest rows of the window come, still oldest first', async () => {
      await log.append([1, 2, 3, 4].map((at) => served(at)));
      expect(await times({ from: 0, to: 10, limit: 2 })).toEqual([3, 4]);
      expect(await times({ from: 0, to: 10, limit: 0 })).toEqual([]);
    });

    test('services are apart, and so are variants where one is asked for', async () => {
      await log.append([served(1), served(2, { variant: 'v2' }), served(3, { service: 'shop' })]);
      expect(await times({ from: 0, to: 10 })).toEqual([1, 2]);
      expect(await times({ from: 0, to: 10, variant: 'v2' })).toEqual([2]);
    });

    test('rows from before a moment go, of every service, and the others stay', async () => {
      await log.append([served(1), served(2, { service: 'shop' }), served(3)]);
      expect(await log.prune(3)).toBe(2);
      expect(await log.prune(3)).toBe(0);
      expect(await times({ from: 0, to: 10 })).toEqual([3]);
      expect(await log.read({ service: 'shop', from: 0, to: 10 })).toEqual([]);
    });

    test('many rows are pruned, however many they are', async () => {
      await log.append(Array.from({ length: 12_345 }, (_, at) => served(at)));
      expect(await log.prune(12_340)).toBe(12_340);
      expect(await times({ from: 0, to: 20_000 })).toHaveLength(5);
    });

    test('a row that is no measurement is an error of the caller, and nothing of its batch is kept', async () => {
      const odd = served(2, { latencyMs: Number.NaN });
      await expect(log.append([served(1), odd])).rejects.toMatchObject({ type: 'Usage' });
      expect(await times({ from: 0, to: 10 })).toEqual([]);
    });
  });
};
