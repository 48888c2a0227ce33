import { expect, test } from 'vitest';
import { runCrash } from '../../drills/real-kills/crash.ts';
import { ROLES } from '../../drills/real-kills/roles.ts';

test('whoever is killed with -9 under load is of use again, and nothing is lost or done twice', async () => {
  const report = await runCrash({ kills: ROLES.length, seed: 7, calm: 1, pace: 0.3 });
  expect(report.violations).toEqual([]);
  expect({ lost: report.lost, doubled: report.doubled, toldTwice: report.searches.doubled }).toEqual({
    lost: 0,
    doubled: 0,
    toldTwice: 0,
  });
  expect(report.roles.map(({ role }) => role).sort()).toEqual([...ROLES].sort());
  expect(report.roles.filter(({ recovery }) => !Number.isFinite(recovery.max))).toEqual([]);
  expect(report.load.midStage).toBeGreaterThan(0);
}, 400_000);
