/** A home with the tiny model, on a Temporal server and workers of its own, each a process, as `pawl up` starts them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { vi } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { modelCacheOf } from '../../adapters/models/of-environment.ts';
import type { LoraEnd } from '../../contracts/lora-messages.ts';
import type { ModelCard } from '../../contracts/model.ts';
import { Processes } from '../../drills/processes.ts';
import { makeServiceHome, SERVICE } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { pawlIn } from '../cli/cli-world.ts';
import { startLora } from './lora.ts';
import { tinyConfig, tinyFolder } from './lora-home.ts';
import { replayEverything } from './replay-everything.ts';
import { temporalBinary, workflowBundle } from './temporal.ts';

export type FineTuneHome = Awaited<ReturnType<typeof fineTuneHome>>;

export const fineTuneHome = async () => {
  const cache = mkdtempSync(join(tmpdir(), 'pawl-cache-'));
  const tiny = tinyFolder();
  vi.stubEnv('PAWL_TEMPORAL', temporalBinary());
  vi.stubEnv('XDG_CACHE_HOME', cache);
  const made = await makeServiceHome();
  const { model } = await modelCacheOf(readEnvironment()).import(`file:${tiny}`);
  const processes = await Processes.startAll(made.home);
  const connection = Connection.lazy({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  const artifacts = folderArtifacts(homePaths(made.home).artifacts);
  const variables = { PAWL_HOME: made.home, PAWL_TEMPORAL_ADDRESS: processes.temporal, XDG_CACHE_HOME: cache };
  return {
    ...{ home: made.home, control: made.control, processes, client, artifacts, model, tiny },
    start: (changes: NonNullable<Parameters<typeof startLora>[2]>) =>
      startLora({ client }, SERVICE, { base: model.id, config: tinyConfig, heartbeatMs: 30_000, ...changes }),
    cardOf: async ({ card }: LoraEnd) => (await artifacts.getJson(card as NonNullable<typeof card>)) as ModelCard,
    pawl: (...args: readonly string[]) => pawlIn(made.home, args, variables),
    replayEverything: () => replayEverything(client, workflowBundle()),
    end: async (): Promise<void> => {
      vi.unstubAllEnvs();
      await connection.close();
      await processes.end();
      made.control.close();
      for (const folder of [made.home, cache, tiny]) rmSync(folder, { recursive: true, force: true });
    },
  };
};
