import { expect, test } from 'vitest';
import { runScenario } from '../../drills/scenarios/run.ts';
import { SCENARIOS } from '../../drills/scenarios/scenes.ts';

test('a canary that fails a third of its questions is rolled back under traffic, and the champion serves everybody', async () => {
  const scenario = SCENARIOS.find(({ name }) => name === 'bad-canary-erroring');
  if (!scenario) throw new Error('there is no such drill');
  const report = await runScenario({ scenario });
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ outcome: 'rolled back', reason: expect.stringContaining('errors failed') });
  expect(report.noticedMs).not.toBeNull();
  expect(report.championMs).not.toBeNull();
}, 400_000);
