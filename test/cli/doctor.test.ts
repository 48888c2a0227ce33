import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliWorld, createCliWorld } from './cli-world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await createCliWorld();
}, 120_000);
afterAll(() => world.end());

test('doctor tells each check, and each that failed how to mend it; the exit code is that of its worst', async () => {
  const { code, json } = await world.pawl('doctor', '--json');
  const { healthy, checks } = json as { healthy: boolean; checks: Array<{ state: string; mend: string | null }> };
  expect(checks.length).toBeGreaterThan(5);
  expect(code).toBe(healthy ? 0 : 13);
  for (const { state, mend } of checks) expect(mend === null).toBe(state === 'ok');
});

test('without workers doctor fails, and says which command runs one', async () => {
  await world.stopWorkers();
  const { code, stdout } = await world.pawl('doctor');
  expect(code).toBe(13);
  expect(stdout).toMatch(/→ .*pawl (up|worker)/);
  expect(stdout).toContain('Then look again: pawl doctor');
});
