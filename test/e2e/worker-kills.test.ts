import { expect, test } from 'vitest';
import { killWorkers } from '../../bench/worker-kills/trial.ts';

test('cycles whose workers are killed at random moments are all promoted, each once', async () => {
  const { cycles, violations } = await killWorkers({ kills: 3, seed: 7 });
  expect(cycles.map(({ end }) => end.outcome)).toEqual(Array(6).fill('promoted'));
  expect(new Set(cycles.flatMap(({ kill }) => kill?.worker ?? [])).size).toBeGreaterThan(1);
  expect(violations).toEqual([]);
}, 240_000);
