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

    test('as many are counted of a variant as would be read of it', async () => {
      const teams = { v1: ['d1'], v2: ['d2'] };
      await log.append([
        ...[served(1), served(2, { error: 'Internal', ranked: [] }), served(3, { of: 'x', answer: 'part' })],
        ...[served(4, { teams, answer: 'x' }), served(5, { mirrored: true, of: 'x', answer: 'copy' })],
        ...[served(10), served(2, { variant: 'v2' }), served(2, { service: 'other' })],
      ]);
      for (const mirrored of [false, true]) {
        const filter = { service: 'docs', from: 1, to: 10, variant: 'v1', mirrored };
        expect(await log.count(filter)).toBe((await log.read(filter)).length);
        expect(await log.count(filter)).toBe(mirrored ? 1 : 3);
      }
    });

    test('an answer of two is among the answers, and of one variant comes what it found for it by itself', async () => {
      const teams = { v1: ['d1'], v2: ['d2'] };
      const parts = [served(2, { answer: 'y', of: 'x' }), served(3, { answer: 'z', of: 'x', variant: 'v2' })];
      await log.append([served(1, { answer: 'x', teams }), ...parts, served(4)]);
      expect(await times({ from: 0, to: 10 })).toEqual([1, 4]);
      expect(await times({ from: 0, to: 10, variant: 'v1' })).toEqual([2, 4]);
      expect(await log.read({ service: 'docs', from: 0, to: 10, variant: 'v2' })).toEqual(parts.slice(1));
    });

    describe('of an experiment', () => {
      const arms = { service: 'docs', experiment: '0.1', variants: ['v1', 'v2'] } as const;
      const everybody = { ...arms, after: { at: 0, subject: '' }, to: 100, limit: 100 };
      const enrolling = (at: number, subject: string, over: Partial<ServedQuery> = {}) =>
        served(at, {
          subject,
          answer: `${subject} at ${at} by ${over.variant ?? 'v1'}`,
          experiment: '0.1',
          phase: 0.1,
          ...over,
        });
      const window = { service: 'docs', from: 0, to: 100 };

      test('the phase comes back with the row, and is absent where there was none', async () => {
        await log.append([enrolling(1, 'ann'), served(2)]);
        const [enrolled, other] = await log.read(window);
        expect(enrolled?.phase).toBe(0.1);
        expect(other).not.toHaveProperty('phase');
      });

      test('a subject is exposed once, by its first answer, whatever comes after it or again', async () => {
        const first = enrolling(3, 'ann');
        await log.append([first, enrolling(4, 'ann', { phase: 0.25 }), enrolling(5, 'bob', { variant: 'v2' })]);
        await log.append([first, enrolling(9, 'ann')]);
        expect(await log.exposures(everybody)).toEqual([
          { subject: 'ann', variant: 'v1', at: 3, phase: 0.1 },
          { subject: 'bob', variant: 'v2', at: 5, phase: 0.1 },
        ]);
      });

      test('a batch that is refused exposes nobody', async () => {
        await expect(log.append([enrolling(1, 'ann'), served(2, { cost: Number.NaN })])).rejects.toThrow();
        expect(await log.exposures(everybody)).toEqual([]);
      });

      test('what enrols nobody, was seen by nobody, is of two variants or has no name exposes nobody', async () => {
        const { phase: _, ...outside } = enrolling(1, 'ann');
        const { subject: __, ...nameless } = enrolling(4, 'dan');
        await log.append([
          outside,
          enrolling(2, 'bob', { mirrored: true }),
          enrolling(2, 'bea', { of: 'x' }),
          enrolling(3, 'cat', { teams: { v1: [], v2: [] } }),
          nameless,
        ]);
        expect(await log.exposures(everybody)).toEqual([]);
      });

      test('who was exposed to both arms comes once, as exposed to the first', async () => {
        await log.append([
          enrolling(2, 'ann', { variant: 'v2' }),
          enrolling(1, 'bob'),
          enrolling(3, 'bob', { variant: 'v2' }),
        ]);
        await log.append([enrolling(4, 'ann')]);
        const found = await log.exposures(everybody);
        expect(found.map(({ subject, variant }) => [subject, variant])).toEqual([
          ['bob', 'v1'],
          ['ann', 'v2'],
        ]);
      });

      test('exposures come in pages, from the one behind the last on, and those of a moment all come', async () => {
        await log.append(['ann', 'bob', 'cat'].map((subject) => enrolling(1, subject)));
        await log.append([enrolling(2, 'dan'), enrolling(3, 'eve')]);
        const names = async (after: { at: number; subject: string }, limit: number, to = 100) =>
          (await log.exposures({ ...arms, after, limit, to })).map(({ subject }) => subject);
        expect(await names({ at: 1, subject: '' }, 2)).toEqual(['ann', 'bob']);
        expect(await names({ at: 1, subject: 'bob' }, 2)).toEqual(['cat', 'dan']);
        expect(await names({ at: 1, subject: 'bob' }, 9, 3)).toEqual(['cat', 'dan']);
      });

      test('services, experiments and other variants are apart', async () => {
        await log.append([
          enrolling(1, 'ann', { service: 'shop' }),
          enrolling(2, 'ann', { experiment: '0.2' }),
          enrolling(3, 'bob', { variant: 'v3' }),
        ]);
        expect(await log.exposures(everybody)).toEqual([]);
      });

      test("a subject's answers are the oldest of the window, by whichever variant, and say whether they were taken", async () => {
        await log.append([
          enrolling(1, 'ann', { variant: 'v9', experiment: 'x', error: 'Internal' }),
          enrolling(2, 'ann', { tenant: 'acme' }),
          enrolling(3, 'ann', { mirrored: true, of: 'x' }),
          enrolling(4, 'ann', { teams: { v1: [] } }),
          enrolling(5, 'bob'),
          enrolling(6, 'ann'),
          enrolling(7, 'ann'),
        ]);
        const { query, ranked, latencyMs, cost } = served(0);
        const same = { query, ranked, latencyMs, cost, tenant: null, error: null, clicked: false };
        const found = await log.ofSubject({ ...window, to: 7, subject: 'ann', limit: 10 });
        expect(found).toEqual([
          { ...same, at: 1, error: 'Internal' },
          { ...same, at: 2, tenant: 'acme' },
          { ...same, at: 6 },
        ]);
        const oldest = await log.ofSubject({ ...window, subject: 'ann', limit: 2 });
        expect(oldest.map(({ at }) => at)).toEqual([1, 2]);
      });

      test('whether a variant answered a subject is told of the experiment and the window alone', async () => {
        await log.append([enrolling(5, 'ann'), enrolling(6, 'ann', { variant: 'v2', experiment: '0.2' })]);
        const by = (variant: string, from = 0, to = 100) =>
          log.answeredBy({ service: 'docs', subject: 'ann', experiment: '0.1', variant, from, to });
        expect([await by('v1'), await by('v2'), await by('v1', 6), await by('v1', 0, 5)]).toEqual([
          true,
          false,
          false,
          false,
        ]);
      });

      test('answers to nobody by name are counted, and what nobody saw is not', async () => {
        const nobody = (at: number, over: Partial<ServedQuery> = {}) => served(at, { experiment: '0.1', ...over });
        await log.append([
          nobody(1),
          nobody(2),
          nobody(3, { experiment: '0.2' }),
          nobody(4, { of: 'x', mirrored: true }),
        ]);
        await log.append([enrolling(5, 'ann'), served(6), nobody(7)]);
        expect(await log.unnamed({ service: 'docs', experiment: '0.1', from: 1, to: 7 })).toBe(2);
      });

      test('subjects are counted once each, and so many of them are named', async () => {
        await log.append(['eve', 'ann', 'bob', 'ann'].map((subject, at) => enrolling(at, subject)));
        expect(await log.subjects({ ...window, most: 2 })).toEqual({ count: 3, some: ['ann', 'bob'] });
        expect(await log.subjects({ ...window, from: 2, most: 9 })).toEqual({ count: 2, some: ['ann', 'bob'] });
      });

      test('exposures go with the rows that made them', async () => {
        await log.append([enrolling(1, 'ann'), enrolling(5, 'bob')]);
        await log.prune(3);
        expect((await log.exposures(everybody)).map(({ subject }) => subject)).toEqual(['bob']);
      });
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
