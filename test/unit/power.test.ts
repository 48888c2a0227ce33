import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { championsNeeded, durationOf, type Question, subjectsNeeded } from '../../domain/statistics/power.ts';

const { powers }: { readonly powers: ReadonlyArray<Question & { readonly normal: number; readonly t: number }> } =
  JSON.parse(readFileSync(new URL('../fixtures/statistics/tests.json', import.meta.url), 'utf8'));

test('it needs as many subjects as statsmodels says, and within three of what it says for an unknown variance', () => {
  for (const { normal, t, ...question } of powers) {
    const champions = championsNeeded(question) ?? 0;
    expect(Math.abs(champions - normal) / normal).toBeLessThan(1e-9);
    expect(Math.abs(champions - t)).toBeLessThan(3);
    expect(subjectsNeeded(question)).toBe(Math.ceil(champions) + Math.ceil(champions * question.ratio));
  }
});

test('nothing can be said where nothing is to be noticed, or nothing varies', () => {
  const question: Question = { relative: 0.03, mean: 0.6, sd: 0.3, alpha: 0.05, power: 0.8, ratio: 1 };
  expect(subjectsNeeded({ ...question, relative: 0 })).toBeNull();
  expect(subjectsNeeded({ ...question, mean: 0 })).toBeNull();
  expect(subjectsNeeded({ ...question, sd: 0 })).toBeNull();
  expect(subjectsNeeded({ ...question, mean: Number.NaN })).toBeNull();
});

test('how long it takes is said in days, rounded up, or in hours', () => {
  const sentence = (subjectsPerDay: number, needed: number | null, leastDays = 0) =>
    durationOf({ subjectsPerDay, needed, leastDays }).sentence;
  expect(sentence(1_350, 11_871)).toBe('With your traffic this takes about 9 days.');
  expect(sentence(1_000, 1_000)).toBe('With your traffic this takes about 1 day.');
  expect(sentence(24_000, 2_500)).toBe('With your traffic this takes about 3 hours.');
  expect(sentence(4_000, 11_871, 7)).toBe(
    'With your traffic this takes about 7 days, the least that it runs; its subjects come in 3 days.',
  );
  expect(sentence(0, 11_871)).toContain('never end');
  expect(sentence(1_000, null)).toContain('nothing was measured');
});

test('days are as they are, for whoever counts on', () => {
  expect(durationOf({ subjectsPerDay: 1_000, needed: 2_500 }).days).toBe(2.5);
  expect(durationOf({ subjectsPerDay: 0, needed: 2_500 }).days).toBeNull();
});
