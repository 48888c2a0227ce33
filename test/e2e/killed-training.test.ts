import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { modelCacheOf } from '../../adapters/models/of-environment.ts';
import { linesText } from '../../adapters/training/lines.ts';
import { violationsOf } from '../../check/check.ts';
import { legNow } from '../../cli/leg-now.ts';
import type { LoraEnd } from '../../contracts/lora.ts';
import type { ModelCard } from '../../contracts/model.ts';
import { eventually } from '../../drills/eventually.ts';
import { Processes } from '../../drills/processes.ts';
import { makeServiceHome, SERVICE } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { pawlIn } from '../cli/cli-world.ts';
import { type LoraHandle, startLora } from '../support/lora.ts';
import { tinyConfig, tinyExamples, tinyFolder, tinyPlan } from '../support/lora-home.ts';
import { replayEverything } from '../support/replay-everything.ts';
import { temporalBinary, workflowBundle } from '../support/temporal.ts';

const PLAN = { ...tinyPlan, steps: 600, evaluateEvery: 600, checkpointEvery: 20 };

test('a worker is killed in the middle of an epoch, another goes on, and the adapter is that of an unbroken run', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'pawl-cache-'));
  const tiny = tinyFolder();
  vi.stubEnv('PAWL_TEMPORAL', temporalBinary());
  vi.stubEnv('XDG_CACHE_HOME', cache);
  const made = await makeServiceHome();
  const { model } = await modelCacheOf(readEnvironment()).import(`file:${tiny}`);
  const processes = await Processes.startAll(made.home);
  const connection = Connection.lazy({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await connection.close();
    await processes.end();
    made.control.close();
    for (const folder of [made.home, cache, tiny]) rmSync(folder, { recursive: true, force: true });
  });

  const artifacts = folderArtifacts(homePaths(made.home).artifacts);
  const data = { examples: await artifacts.put(linesText(tinyExamples(120))) };
  const start = (id: string): Promise<LoraHandle> =>
    startLora({ client }, SERVICE, { id, base: model.id, config: tinyConfig, plan: PLAN, data, heartbeatMs: 3_000 });
  const weightsOf = async ({ card }: LoraEnd): Promise<string | undefined> =>
    ((await artifacts.getJson(card as NonNullable<typeof card>)) as ModelCard).files['adapter_model.safetensors']
      ?.sha256;

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
  expect(violationsOf(made.home)).toEqual([]);

  const variables = { PAWL_HOME: made.home, PAWL_TEMPORAL_ADDRESS: processes.temporal };
  const exported = await pawlIn(made.home, ['lora', 'export', 'lo_whole', '--to', 'adapter', '--json'], variables);
  expect(exported).toMatchObject({ code: 0 });
  expect((exported.json as { files: string[] }).files).toContain('adapter_config.json');
  const shown = await pawlIn(made.home, ['lora', 'show', 'latest'], variables);
  expect(shown.stdout).toMatch(/600\/600 {2}loss/);
  await replayEverything(client, workflowBundle());
}, 400_000);

/** Attempts of the leg. */
const attemptsOf = async (handle: LoraHandle): Promise<number> => {
  const { events } = await handle.fetchHistory();
  return Math.max(...(events ?? []).map(({ activityTaskStartedEventAttributes: started }) => started?.attempt ?? 0));
};
