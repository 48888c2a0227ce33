import { describe, expect, test } from 'vitest';
import { FAULTS, HERE, kindsAt, planTrial } from '../../drills/crash-matrix/faults.ts';
import { POINTS } from '../../drills/crash-matrix/points.ts';
import { stepOf, storyOf } from '../../drills/crash-matrix/story.ts';

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

  test.each([...FAULTS, ...HERE])('tries "%s" at every point that can have it, within 25 seeds', (kind) => {
    const able = POINTS.filter((point) => kindsAt(point).includes(kind));
    expect(able.length).toBeGreaterThanOrEqual(40);
    expect(able.filter((point) => !SEEDS.some((seed) => planTrial(point, seed).fault.kind === kind))).toEqual([]);
  });

  test('sends what comes from outside once, twice, and twice at once', () => {
    const sent = new Set(POINTS.flatMap((point) => SEEDS.map((seed) => planTrial(point, seed).fault.sent)));
    expect(sent).toEqual(new Set(['once', 'twice', 'twice at once']));
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

  test('calls a change by its key, and where that only counts, by what its reason says first', () => {
    const step = (key: string, reason: string) => stepOf({ key, reason });
    expect(step('pawl:docs:cycle:a/deploy', 'deploy')).toBe('deploy');
    expect(step('pawl:docs:canary:a/2', 'canary 2: 20 %')).toBe('canary 2');
    expect(step('pawl:docs:ab:a/3', 'ab: back to the champion')).toBe('ab: back to the champion');
  });

  test('makes one of how a trial hears of a kill: by a message, or by what the store refuses', () => {
    const ended = (outcome: string) => ({ ...row, actor, kind: 'canary ended', body: { outcome } });
    expect(storyOf([ended('refused')], 'g')).toEqual(storyOf([ended('aborted')], 'g'));
    expect(storyOf([ended('rolled back')], 'g')).not.toEqual(storyOf([ended('aborted')], 'g'));
  });

  test('is another one when another variant serves', () => {
    const shift = { ...row, actor, kind: 'shift', body: { key: 'pawl:docs/deploy', outcome: 'done', state } };
    expect(storyOf([shift], 'g')).not.toEqual(storyOf([shift], 'other'));
  });
});
