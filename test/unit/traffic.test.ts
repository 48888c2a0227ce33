import { describe, expect, test } from 'vitest';
import type { Arm, TrafficChange } from '../../contracts/traffic.ts';
import { malformed, reachOf } from '../../domain/traffic.ts';

const arm = (variant: string, share: number, more: Partial<Arm> = {}): Arm => ({ variant, share, ...more });
const change = (...arms: readonly Arm[]): TrafficChange => ({
  ...{ key: 'k', service: 'docs', actor: { kind: 'cycle', name: 'c' }, reason: 'because', cycle: 'c' },
  ...{ token: { epoch: 0, promotion: 1 }, arms },
});
const together = { interleave: true } as const;

describe('a change of traffic makes sense', () => {
  test.each<[string, readonly Arm[]]>([
    ['with a variant that is mirrored and has no share', [arm('a', 1), arm('b', 0, { mirror: 0.2 })]],
    ['with a variant that is mirrored beside its share', [arm('a', 0.9), arm('b', 0.1, { mirror: 1 })]],
    [
      'with several that are mirrored, to more than 1 together',
      [arm('a', 1, { mirror: 1 }), arm('b', 0, { mirror: 1 })],
    ],
    ['with two that are interleaved', [arm('a', 0.5, together), arm('b', 0.5, together)]],
    ['with two that are interleaved beside a third', [arm('a', 0.8), arm('b', 0.1, together), arm('c', 0.1, together)]],
  ])('%s', (_, arms) => expect(malformed(change(...arms))).toBeNull());
});

describe('a change of traffic makes no sense, and is told why', () => {
  test.each<[string, readonly Arm[], string]>([
    ['a mirror below 0', [arm('a', 1, { mirror: -0.1 })], 'the mirror share of a must be from 0 to 1, but is -0.1'],
    ['a mirror over 1', [arm('a', 1, { mirror: 1.1 })], 'but is 1.1'],
    ['a mirror that is no number', [arm('a', 1, { mirror: Number.NaN })], 'but is NaN'],
    ['a mirror in the place of a share', [arm('a', 0.5, { mirror: 0.5 })], 'add up to 0.5'],
    ['one that is interleaved with nobody', [arm('a', 0.5, together), arm('b', 0.5)], 'two arms can be interleaved'],
    ['three that are interleaved', ['a', 'b', 'c'].map((name) => arm(name, 1 / 3, together)), 'but 3 are'],
    ['one that is interleaved without a share', [arm('a', 1, together), arm('b', 0, together)], 'b is interleaved'],
  ])('%s', (_, arms, why) => expect(malformed(change(...arms))).toContain(why));
});

test('what is interleaved reaches everybody in the share of either, and what is mirrored reaches nobody', () => {
  const arms = [arm('a', 0.6, together), arm('b', 0.1, together), arm('c', 0.3), arm('d', 0, { mirror: 1 })];
  const reach = ['a', 'b', 'c', 'd', 'e'].map((variant) => reachOf(variant, arms));
  expect(reach).toEqual([0.7, 0.7, 0.3, 0, 0].map((share) => expect.closeTo(share, 12)));
});
