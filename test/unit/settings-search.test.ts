import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hash32 } from '../../domain/random.ts';
import {
  beats,
  best,
  championPoint,
  propose,
  searchSpace,
  settingsOf,
  type Trial,
} from '../../domain/settings-search.ts';
import type { SynonymCandidate } from '../../domain/synonym-mining.ts';

const champion = {
  weights: { title: 1, body: 1 },
  stemming: false,
  splitIdentifiers: false,
  stopShare: 1,
  synonyms: { dir: ['folder'] },
  expansion: { documents: 3, words: 0 },
};
const candidates = Array.from({ length: 40 }, (_, n): SynonymCandidate => {
  const word = n === 0 ? 'constructor' : `word${n}`;
  return { word, synonyms: [`other${n}`], score: 40 - n, source: n % 2 ? 'corpus' : 'queries' };
});
const space = searchSpace(champion, candidates);

/** A made-up quality that depends on the point alone. */
const searched = (seed: number, trials: number, history: readonly Trial[] = []): Trial[] => {
  const all = [...history];
  while (all.length < trials) {
    const point = propose(space, seed, all);
    if (point === null) break;
    const score = (hash32(JSON.stringify(point)) % 1_000) / 1_000;
    all.push({ point, score, kept: all.length === 0 || score > best(all).score });
  }
  return all;
};

test('the first trial is the champion itself, synonyms and all', () => {
  expect(settingsOf(searched(1, 1)[0]?.point ?? championPoint(space), space)).toEqual(champion);
});

test('wherever a search is interrupted, it goes on as if it had not been', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 30 }), (seed, cut) => {
      const whole = searched(seed, 30);
      const left = JSON.parse(JSON.stringify(whole.slice(0, cut))) as Trial[];
      expect(searched(seed, 30, left)).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

test('no point is tried twice, and another seed tries others', () => {
  const points = searched(4, 80).map(({ point }) => JSON.stringify(settingsOf(point, space)));
  expect(new Set(points).size).toBe(points.length);
  expect(searched(5, 80)).not.toEqual(searched(4, 80));
});

test('a word like constructor is a word', () => {
  const on = settingsOf({ ...championPoint(space), sets: space.sets.map((_, set) => set) }, space);
  expect(on.synonyms.constructor).toEqual(['other0']);
  expect(Object.keys(on.synonyms)).toHaveLength(41);
});

describe('the best so far', () => {
  test('gives way to a gain beyond its noise', () => {
    expect(beats([0.5, 0.6, 0.55, 0.52], [0.4, 0.5, 0.44, 0.4])).toBe(true);
  });
  test('stays where a few lucky queries make the gain', () => {
    expect(beats([1, 0.5, 0.5, 0.4], [0.5, 0.5, 0.5, 0.6])).toBe(false);
  });
  test('stays where nothing changes', () => {
    expect(beats([0.5, 0.5], [0.5, 0.5])).toBe(false);
  });
  test('is never absent: the first trial is kept', () => {
    expect(beats([0], null)).toBe(true);
    expect(() => best([])).toThrow('without a trial');
  });
});
