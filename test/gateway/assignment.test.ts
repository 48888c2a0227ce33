import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Arm, ServiceState } from '../../contracts/traffic.ts';
import { assign, assigned, experimentOf, mirrorsOf, partnerOf } from '../../gateway/assignment.ts';

const state = (arms: readonly Arm[], service = 'docs'): ServiceState => ({
  service,
  latch: 'armed',
  because: '',
  epoch: 0,
  promotion: 1,
  champion: 'old',
  gold: 'old',
  arms,
});
const split = (share: number): readonly Arm[] => [
  { variant: 'old', share: 1 - share },
  { variant: 'new', share },
];
const subjects = Array.from({ length: 20_000 }, (_, at) => `user-${at}`);
const withNew = (of: ServiceState) => new Set(subjects.filter((subject) => assign(of, subject) === 'new'));

test.each([0.01, 0.1, 0.5, 0.9])('a share of %d gets that part of the subjects', (share) => {
  const deviation = Math.sqrt(subjects.length * share * (1 - share));
  expect(Math.abs(withNew(state(split(share))).size - subjects.length * share)).toBeLessThan(4 * deviation);
});

test('a challenger whose share grows keeps the subjects that it had', () => {
  const few = withNew(state(split(0.1)));
  const many = withNew(state(split(0.3)));
  expect([...few].filter((subject) => !many.has(subject))).toEqual([]);
  expect(many.size).toBeGreaterThan(few.size);
});

test('the order in which the arms are listed does not matter', () => {
  expect(withNew(state(split(0.3).toReversed()))).toEqual(withNew(state(split(0.3))));
});

test('who is in the small share of one service is not therefore in that of another', () => {
  const here = withNew(state(split(0.1)));
  const there = withNew(state(split(0.1), 'shop'));
  const both = [...here].filter((subject) => there.has(subject)).length;
  expect(both / subjects.length).toBeGreaterThan(0.005);
  expect(both / subjects.length).toBeLessThan(0.02);
});

test('who is in the small share of one experiment is not therefore in that of the next', () => {
  const first = withNew(state(split(0.1)));
  const next = withNew({ ...state(split(0.1)), promotion: 2 });
  const both = [...first].filter((subject) => next.has(subject)).length;
  expect(both / subjects.length).toBeGreaterThan(0.005);
  expect(both / subjects.length).toBeLessThan(0.02);
});

test('an experiment is named by what the lane was granted for, and there is none while one variant has everybody', () => {
  expect(experimentOf(state(split(0.1)))).toBe('0.1');
  expect(experimentOf(state(split(0)))).toBeNull();
});

test('an arm without a share gets nobody, and shares that add up to a little less than 1 leave nobody out', () => {
  expect(withNew(state(split(0))).size).toBe(0);
  const thirds = ['a', 'b', 'c'].map((variant) => ({ variant, share: 1 / 3 - 1e-10 }));
  expect(subjects.filter((subject) => assign(state(thirds), subject) === null)).toEqual([]);
  expect(assign(state([]), 'anyone')).toBeNull();
});

describe('who is enrolled', () => {
  const some = subjects.slice(0, 400);
  const enrolled = (of: ServiceState) =>
    new Map(some.flatMap((subject) => (assigned(of, subject).phase === null ? [] : [[subject, assign(of, subject)]])));
  /** Shares that grow, as a ramp up to half writes them. */
  const ramp = fc
    .uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 6 })
    .map((shares) => shares.sort((a, b) => a - b).map((share) => share / 1_000));

  test('stays enrolled on the same arm through every ramp, and both groups only grow', () => {
    fc.assert(
      fc.property(ramp, fc.integer({ min: 1, max: 1_000 }), (shares, promotion) => {
        let before = new Map<string, string | null>();
        for (const share of shares) {
          const now = enrolled({ ...state(split(share)), promotion });
          for (const [subject, variant] of before) expect([subject, now.get(subject)]).toEqual([subject, variant]);
          before = now;
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  test.each([0.01, 0.1, 0.25, 0.5])('is as many of the champion as of the challenger, at a share of %d', (share) => {
    const of = state(split(share));
    const all = subjects.filter((subject) => assigned(of, subject).phase === share);
    const challengers = all.filter((subject) => assign(of, subject) === 'new');
    expect(Math.abs(challengers.length - all.length / 2)).toBeLessThan(4 * Math.sqrt(all.length / 4));
    expect(new Set(challengers)).toEqual(withNew(of));
  });

  test('is nobody from the part of the line that a growing share moves', () => {
    const between = some.filter((subject) => assigned(state(split(0.1)), subject).phase === null);
    expect(between.every((subject) => assign(state(split(0.1)), subject) === 'old')).toBe(true);
    expect(between.some((subject) => assign(state(split(0.5)), subject) === 'new')).toBe(true);
  });

  test.each<[string, readonly Arm[]]>([
    ['one variant has everybody', split(0)],
    ['the challenger has more than half', split(0.6)],
    ['two are interleaved', split(0.5).map((arm) => ({ ...arm, interleave: true }) as const)],
    [
      'three share the traffic',
      [...split(0.2).map((arm) => ({ ...arm, share: arm.share / 2 })), { variant: 'x', share: 0.5 }],
    ],
    [
      'the champion has no part in it',
      [
        { variant: 'x', share: 0.5 },
        { variant: 'new', share: 0.5 },
      ],
    ],
  ])('is nobody while %s', (_, arms) => {
    expect(enrolled(state(arms)).size).toBe(0);
  });
});

describe('what is mirrored', () => {
  const mirroring = (mirror: number, over: Partial<ServiceState> = {}): ServiceState => ({
    ...state([
      { variant: 'old', share: 1 },
      { variant: 'new', share: 0, mirror },
    ]),
    ...over,
  });
  const copied = (of: ServiceState) => new Set(subjects.filter((answer) => mirrorsOf(of, answer).includes('new')));

  test.each([0, 0.01, 0.1, 0.5, 1])('a share of %d is that part of the answers', (share) => {
    const deviation = Math.sqrt(subjects.length * share * (1 - share));
    expect(Math.abs(copied(mirroring(share)).size - subjects.length * share)).toBeLessThanOrEqual(4 * deviation);
    expect(mirrorsOf(mirroring(share), 'any')).not.toContain('old');
  });

  test('the same answer is drawn the same way again, and the next experiment draws anew', () => {
    const first = copied(mirroring(0.1));
    expect(copied(mirroring(0.1))).toEqual(first);
    const next = copied(mirroring(0.1, { promotion: 2 }));
    const both = [...first].filter((answer) => next.has(answer)).length;
    expect(both / subjects.length).toBeGreaterThan(0.005);
    expect(both / subjects.length).toBeLessThan(0.02);
  });

  test('each variant is drawn for itself', () => {
    const arms = ['new', 'other'].map((variant) => ({ variant, share: 0, mirror: 0.1 }));
    const of = { ...mirroring(0), arms };
    const both = subjects.filter((answer) => mirrorsOf(of, answer).length === 2).length;
    expect(both / subjects.length).toBeGreaterThan(0.005);
    expect(both / subjects.length).toBeLessThan(0.02);
  });
});

test('of two that are interleaved each is the partner of the other, and nobody else has one', () => {
  const of = state([
    { variant: 'old', share: 0.4, interleave: true },
    { variant: 'new', share: 0.3, interleave: true },
    { variant: 'third', share: 0.3 },
  ]);
  expect(['old', 'new', 'third', 'nobody'].map((variant) => partnerOf(of, variant))).toEqual([
    'new',
    'old',
    null,
    null,
  ]);
  expect(partnerOf(state(split(0.5)), 'old')).toBeNull();
});
