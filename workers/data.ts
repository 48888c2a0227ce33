import { Context } from '@temporalio/activity';
import { createAbActivities } from '../activities/ab.ts';
import { createCanaryActivities } from '../activities/canary.ts';
import { createEvidenceActivities } from '../activities/evidence.ts';
import { createLoraDataActivities } from '../activities/lora-data.ts';
import { createFastLookActivities } from '../activities/remediation.ts';
import { createStageActivities } from '../activities/stages.ts';
import { ledgerSigner } from '../adapters/evidence/ledger-signer.ts';
import { homePaths } from '../adapters/home.ts';
import { routersOf } from '../adapters/router/of-service.ts';
import { readJudgedQueries } from '../adapters/service/data.ts';
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

/** Looks at the arms of an A/B evaluation. */
const abActivities = (deps: HomeDeps) => {
  const judged = async (service: string) => readJudgedQueries(await deps.services.config(service), 'live');
  const onProgress = () => Context.current().heartbeat();
  return createAbActivities({ ...deps, judged, onProgress });
};

/** Looks at a challenger in live traffic. */
const canaryActivities = (deps: HomeDeps, home: string) => {
  const { variables } = environmentAt(home);
  return createCanaryActivities({ ...deps, variables, routers: routersOf({ ...deps, variables }) });
};

/** The stages that look at data, but for training, and the sealing. */
export const dataActivities = (deps: HomeDeps, home: string) => {
  const { train: _, ...stages } = createStageActivities(deps);
  return {
    ...stages,
    ...createLoraDataActivities(deps),
    ...abActivities(deps),
    ...canaryActivities(deps, home),
    ...createFastLookActivities(deps),
    ...evidenceActivities(deps, home),
  };
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
