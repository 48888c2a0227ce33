import { describe, expect, test } from 'vitest';
import type { Arm, ServiceState } from '../../contracts/traffic.ts';
import { assign, experimentOf, mirrorsOf, partnerOf } from '../../gateway/assignment.ts';

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
