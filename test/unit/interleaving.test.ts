import fc from 'fast-check';
import { expect, test } from 'vitest';
import { preferenceFor, teamDraft, winnerOf } from '../../domain/interleaving.ts';
import { seeded } from '../../domain/random.ts';
import { browsed } from '../support/clicks.ts';

const a = ['1', '2', '3', '4', '5', '6'];
const b = ['4', '1', '7', '8', '2', '9'];

const rankings = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 20 });
test('each document stands there once, belongs to one team, and keeps the order that its team had', () => {
  fc.assert(
    fc.property(rankings, rankings, fc.integer({ min: 1, max: 12 }), fc.integer(), (one, two, k, seed) => {
      const { ranked, teams } = teamDraft({ a: one, b: two }, { k, seed });
      expect(new Set(ranked).size).toBe(ranked.length);
      expect(ranked).toHaveLength(Math.min(k, new Set([...one, ...two]).size));
      expect([...teams.a, ...teams.b].sort()).toEqual(ranked.toSorted());
      expect(teams.a).toEqual(one.filter((document) => teams.a.includes(document)));
      expect(teams.b).toEqual(two.filter((document) => teams.b.includes(document)));
    }),
  );
});

test('while both have documents left, no team is more than one ahead at any place', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const { ranked, teams } = teamDraft({ a, b }, { k: 6, seed });
    for (let place = 1; place <= ranked.length; place += 1) {
      const ofA = ranked.slice(0, place).filter((document) => teams.a.includes(document)).length;
      expect(Math.abs(2 * ofA - place)).toBeLessThanOrEqual(1);
    }
  }
});

test('the same seed gives the same ranking, and different seeds let each team begin about as often', () => {
  expect(teamDraft({ a, b }, { k: 6, seed: 5 })).toEqual(teamDraft({ a, b }, { k: 6, seed: 5 }));
  const begun = Array.from({ length: 2_000 }, (_, seed) => teamDraft({ a, b }, { k: 6, seed }).ranked[0] === '1');
  expect(Math.abs(begun.filter(Boolean).length / 2_000 - 0.5)).toBeLessThan(0.04);
});

/** What users make of so many interleaved answers; they look at places and take documents as the test says. */
const preference = (attraction: (document: string) => number, times = 4_000) => {
  const random = seeded(11);
  const users = { examination: [1, 0.8, 0.6, 0.4, 0.3, 0.2], attraction: (_: string, id: string) => attraction(id) };
  const answers = Array.from({ length: times }, (_, seed) => {
    const { ranked, teams } = teamDraft({ a, b }, { k: 6, seed });
    return browsed(users, { query: 'how?', ranked, teams: { v1: teams.a, v2: teams.b } }, random);
  });
  return preferenceFor('v1', answers);
};

test('users who click at random prefer neither, however much more they look at the top', () => {
  const { wins, losses, ties, share } = preference(() => 0.3);
  expect(wins + losses + ties).toBe(4_000);
  expect(share?.low).toBeLessThan(0.5);
  expect(share?.high).toBeGreaterThan(0.5);
});

test('the ranking that puts what users want higher up wins, and the other one loses by as much', () => {
  const { share } = preference((document) => (document === '2' || document === '3' ? 0.6 : 0.05), 1_000);
  expect(share?.low).toBeGreaterThan(0.5);
});

test('an answer is won by the team with more clicks on its documents; an even one is won by nobody', () => {
  const click = (document: string) => ({ document, position: 1, dwellMs: null });
  const teams = { v1: ['1', '2'], v2: ['4'] };
  expect(winnerOf({ teams, clicks: [click('1'), click('2'), click('4')] })).toBe('v1');
  expect(winnerOf({ teams, clicks: [click('4')] })).toBe('v2');
  expect(winnerOf({ teams, clicks: [click('1'), click('4')] })).toBeNull();
  expect(winnerOf({ teams, clicks: [click('somewhere else')] })).toBeNull();
  expect(winnerOf({ teams: null, clicks: [click('1')] })).toBeNull();
});

test('answers in which the variant had no part are not counted', () => {
  const won = { teams: { v2: ['1'], v3: ['2'] }, clicks: [{ document: '1', position: 1, dwellMs: null }] };
  expect(preferenceFor('v1', [won])).toEqual({ wins: 0, losses: 0, ties: 0, share: null });
  expect(preferenceFor('v3', [won])).toMatchObject({ wins: 0, losses: 1, ties: 0 });
});
