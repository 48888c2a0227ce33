import { createEvidenceActivities } from '../activities/evidence.ts';
import { createLoraDataActivities } from '../activities/lora-data.ts';
import { createStageActivities } from '../activities/stages.ts';
import { ledgerSigner } from '../adapters/evidence/ledger-signer.ts';
import { homePaths } from '../adapters/home.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { type HomeDeps, openHome } from './home.ts';
import { runWorker } from './run.ts';

/** Seals what all stages left, with the ledger's key. */
export const evidenceActivities = (deps: HomeDeps, home: string) => {
  const { evidence, control } = homePaths(home);
  const signer = () => ledgerSigner(deps.control, control);
  return createEvidenceActivities({ ...deps, evidenceFolder: evidence, signer });
};

/** The stages that look at data, but for training, and the sealing. */
export const dataActivities = (deps: HomeDeps, home: string) => {
  const { train: _, ...stages } = createStageActivities(deps);
  return { ...stages, ...createLoraDataActivities(deps), ...evidenceActivities(deps, home) };
};

/** It loads no workflows. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  try {
    await runWorker(environment, {
      taskQueue: queues.data,
      activities: dataActivities(deps, home),
      maxConcurrentActivityTaskExecutions: 4,
    });
  } finally {
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
