import { expect, test } from 'vitest';
import { runMatrix } from '../../drills/crash-matrix/matrix.ts';
import { POINTS } from '../../drills/crash-matrix/points.ts';
import type { Tried } from '../../drills/crash-matrix/trial.ts';

const SEED = 2;

const told = ({ plan, ends, stuck }: Tried) => ({ point: plan.point, kind: plan.fault.kind, ends, stuck });

test('a cycle comes to one legal end whatever fails, before and after every effect', async () => {
  const report = await runMatrix({ seeds: 1, firstSeed: SEED, runs: 1, beside: 32 });
  expect(report.stuck.map(told)).toEqual([]);
  expect(report.violations).toEqual([]);
  expect(report.untouched).toEqual([]);
  expect(report.points).toBeGreaterThanOrEqual(40);
}, 300_000);

test('the same seed comes to the same end, by the same rows of the ledger', async () => {
  const names = ['store: shift deploy', 'store: rule in mayStart', 'activity: train', 'artifacts: put in watch'];
  const points = POINTS.filter(({ name }) => names.includes(name));
  const report = await runMatrix({ seeds: 2, firstSeed: SEED, runs: 2, points, beside: 16 });
  expect(report.different.map(({ runs }) => runs.map(({ ends, story }) => ({ ends, story })))).toEqual([]);
  expect(report.stuck.map(told)).toEqual([]);
  expect(report.cycles).toBeGreaterThanOrEqual(names.length * 2);
}, 300_000);
