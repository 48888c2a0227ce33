import { expect, test } from 'vitest';
import { inTraffic } from '../../drills/crash-matrix/faults.ts';
import { runMatrix } from '../../drills/crash-matrix/matrix.ts';
import { POINTS } from '../../drills/crash-matrix/points.ts';
import type { Tried } from '../../drills/crash-matrix/trial.ts';

const SEED = 2;

const told = ({ plan, ends, stuck }: Tried) => ({ point: plan.point, kind: plan.fault.kind, ends, stuck });

test.each([
  ['a cycle comes to one legal end whatever fails, before and after every effect', false, 32],
  ['so does one with trials in live traffic, and whatever is said to them, once and twice', true, 16],
] as const)(
  '%s',
  async (_, isInTraffic, beside) => {
    const points = POINTS.filter(({ scene }) => inTraffic(scene) === isInTraffic);
    const report = await runMatrix({ seeds: 1, firstSeed: SEED, runs: 1, points, beside });
    expect(report.stuck.map(told)).toEqual([]);
    expect(report.violations).toEqual([]);
    expect(report.untouched).toEqual([]);
    expect(report.points).toBeGreaterThanOrEqual(40);
  },
  300_000,
);

test('a trial in live traffic that no worker remembers goes on from its history, at each of its steps', async () => {
  const names = ['activity: shiftTraffic of ab', 'store: shift canary: promotion', 'store: shift previous'];
  const points = POINTS.filter(({ name }) => names.includes(name));
  const report = await runMatrix({ seeds: 1, firstSeed: SEED, runs: 1, points, beside: 8, forgetful: true });
  expect(report.stuck.map(told)).toEqual([]);
  expect(report.violations).toEqual([]);
  expect(report.struck).toBe(names.length);
}, 300_000);

test('the same seed comes to the same end, by the same rows of the ledger', async () => {
  const names = [
    ...['store: shift deploy', 'store: rule in mayStart', 'activity: train', 'artifacts: put in watch'],
    ...['store: shift ab 2', 'activity: measureCanary', 'activity: askFix'],
  ];
  const points = POINTS.filter(({ name }) => names.includes(name));
  const report = await runMatrix({ seeds: 2, firstSeed: SEED, runs: 2, points, beside: 16 });
  expect(report.different.map(({ runs }) => runs.map(({ ends, story }) => ({ ends, story })))).toEqual([]);
  expect(report.stuck.map(told)).toEqual([]);
  expect(report.cycles).toBeGreaterThanOrEqual(names.length * 2);
}, 300_000);
