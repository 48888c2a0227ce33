import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { linesText } from '../../adapters/training/lines.ts';
import { violationsOf } from '../../check/check.ts';
import { legNow } from '../../cli/leg-now.ts';
import type { LoraEnd } from '../../contracts/lora-messages.ts';
import { eventually } from '../../drills/eventually.ts';
import { errorOf } from '../cli/cli-world.ts';
import { fineTuneHome } from '../support/fine-tune-home.ts';
import type { LoraHandle } from '../support/lora.ts';
import { tinyExamples, tinyPlan } from '../support/lora-home.ts';

const PLAN = { ...tinyPlan, steps: 600, evaluateEvery: 600, checkpointEvery: 20 };

test('a worker is killed in the middle of an epoch, another goes on, and the adapter is that of an unbroken run', async () => {
  const world = await fineTuneHome();
  onTestFinished(() => world.end());
  const { artifacts, processes, pawl } = world;
  const data = { examples: await artifacts.put(linesText(tinyExamples(120))) };
  const start = (id: string): Promise<LoraHandle> => world.start({ id, plan: PLAN, data, heartbeatMs: 3_000 });
  const weightsOf = async (end: LoraEnd): Promise<string | undefined> =>
    (await world.cardOf(end)).files['adapter_model.safetensors']?.sha256;

  const killed = await start('lo_killed');
  const leg = async () => legNow((await killed.describe()).raw.pendingActivities ?? []);
  await eventually(leg, (now) => now !== null && now.checkpoints > 0);
  await processes.kill('worker-train');
  await processes.start('worker-train');
  const broken = await killed.result();
  expect(broken).toMatchObject({ outcome: 'trained' });
  expect(await attemptsOf(killed)).toBeGreaterThan(1);

  const whole = await (await start('lo_whole')).result();
  expect(await weightsOf(broken)).toBe(await weightsOf(whole));
  expect(broken.last).toEqual(whole.last);
  expect(violationsOf(world.home)).toEqual([]);

  const exported = await pawl('lora', 'export', 'lo_whole', '--to', 'adapter', '--json');
  expect(exported).toMatchObject({ code: 0 });
  expect((exported.json as { files: string[] }).files).toContain('adapter_config.json');
  const merged = await pawl('lora', 'export', 'lo_whole', '--merged', 'whole', '--json');
  expect(merged.json).toMatchObject({ merged: { files: expect.arrayContaining(['config.json', 'tokenizer.json']) } });
  expect((merged.json as { merged: { parity: number } }).merged.parity).toBeLessThanOrEqual(1e-5);
  expect((await pawl('model', 'import', `file:${join(world.home, 'whole')}`)).code).toBe(0);
  const again = await pawl('lora', 'export', 'lo_whole', '--merged', 'whole', '--json');
  expect(errorOf(again)).toMatchObject({ type: 'Refused', message: expect.stringContaining('not empty') });
  expect((await pawl('lora', 'show', 'latest')).stdout).toMatch(/600\/600 {2}loss/);
  await world.replayEverything();
}, 400_000);

/** Attempts of the leg. */
const attemptsOf = async (handle: LoraHandle): Promise<number> => {
  const { events } = await handle.fetchHistory();
  return Math.max(...(events ?? []).map(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? 0));
};
