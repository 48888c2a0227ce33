import { describe, expect, test } from 'vitest';
import { FAULTS, planTrial } from '../../drills/crash-matrix/faults.ts';
import { POINTS } from '../../drills/crash-matrix/points.ts';
import { storyOf } from '../../drills/crash-matrix/story.ts';

const SEEDS = Array.from({ length: 25 }, (_, n) => n + 1);

describe('the crash matrix', () => {
  test('has at least 40 fault points, each with a name of its own', () => {
    expect(POINTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(POINTS.map(({ name }) => name)).size).toBe(POINTS.length);
  });

  test('plans the same trial for the same seed, and others for others', () => {
    for (const point of POINTS) {
      const plans = SEEDS.map((seed) => planTrial(point, seed));
      expect(SEEDS.map((seed) => planTrial(point, seed))).toEqual(plans);
      expect(new Set(plans.map(({ seed: _, ...plan }) => JSON.stringify(plan))).size).toBeGreaterThan(5);
    }
  });

  test.each(FAULTS)('tries "%s" at every point that can have it, within 25 seeds', (kind) => {
    const without = POINTS.filter((point) => !SEEDS.some((seed) => planTrial(point, seed).fault.kind === kind));
    expect(without.filter(({ scene }) => !(kind === 'kill' && scene === 'kill'))).toEqual([]);
  });
});

describe('the story of a service', () => {
  const row = { seq: 1, at: '', service: 'docs', cycle: 'si_2026_11_21_001', reason: '', prev: '', hash: '' };
  const actor = { kind: 'cycle', name: 'si_2026_11_21_001' };
  const state = { service: 'docs', latch: 'armed', epoch: 0, promotion: 1, arms: [{ variant: 'g', share: 1 }] };

  test('tells what moved, not when, nor what was refused', () => {
    const shift = { ...row, actor, kind: 'shift', body: { key: 'pawl:docs/deploy', outcome: 'done', state } };
    const refused = { ...shift, body: { ...shift.body, outcome: 'refused' } };
    expect(storyOf([shift, refused], 'g')).toEqual(['001 cycle shift deploy done armed 0 gold 1']);
    expect(storyOf([{ ...shift, seq: 7, at: 'later' }], 'g')).toEqual(storyOf([shift], 'g'));
  });

  test('leaves out a lane that nobody waited for any more, and keeps the one by which traffic moved', () => {
    const grant = { ...row, actor, kind: 'grant', body: { key: 'grant', outcome: 'done', state } };
    const ended = { ...row, actor, kind: 'cycle ended', body: { key: 'end', outcome: 'aborted' } };
    const shift = { ...row, actor, kind: 'shift', body: { key: 'pawl:docs/deploy', outcome: 'done', state } };
    expect(storyOf([grant, ended], 'g')).toEqual(storyOf([ended], 'g'));
    expect(storyOf([grant, shift], 'g')).not.toEqual(storyOf([shift], 'g'));
  });

  test('is another one when another variant serves', () => {
    const shift = { ...row, actor, kind: 'shift', body: { key: 'pawl:docs/deploy', outcome: 'done', state } };
    expect(storyOf([shift], 'g')).not.toEqual(storyOf([shift], 'other'));
  });
});
