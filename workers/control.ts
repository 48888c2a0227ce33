import type { Client } from '@temporalio/client';
import { createAdmissionActivities } from '../activities/admission.ts';
import { createControlActivities } from '../activities/control.ts';
import { createNotifyActivities } from '../activities/notify.ts';
import { createPlanActivities } from '../activities/plan.ts';
import { createRemediationActivities } from '../activities/remediation.ts';
import { createStartActivities } from '../activities/start.ts';
import { createTokenActivities } from '../activities/tokens.ts';
import { createTrainPermissionActivities } from '../activities/train-permission.ts';
import { consoleNotifier } from '../adapters/notifier/console.ts';
import { routersOf } from '../adapters/router/of-service.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { workflowBundle } from '../infra/temporal/bundle.ts';
import { connectTemporal } from '../infra/temporal/connect.ts';
import { type HomeDeps, openHome } from './home.ts';
import { runWorker } from './run.ts';

const toStdout = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** The light activities, over whatever stores they are given: a drill gives some that fail. */
export const controlActivities = (deps: HomeDeps, home: string, client: Client, say = toStdout) => ({
  ...createControlActivities({
    ...deps,
    routers: routersOf({ ...deps, variables: environmentAt(home).variables }),
  }),
  ...createTokenActivities(deps),
  ...createStartActivities(deps),
  ...createTrainPermissionActivities(deps),
  ...createPlanActivities(deps),
  ...createRemediationActivities({ ...deps, variables: environmentAt(home).variables }),
  ...createNotifyActivities({
    ...deps,
    console: consoleNotifier(say),
    variables: environmentAt(home).variables,
  }),
  ...createAdmissionActivities({ ...deps, client }),
});

/** Workflows, and the light activities that they steer by. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  // The first answer of the policy would otherwise take longer than some of those who ask can wait.
  await deps.policy.bundle().catch((error: Error) => process.stderr.write(`policy: ${error.message}\n`));
  const { client, close } = await connectTemporal(environment, 60_000);
  try {
    await runWorker(environment, {
      taskQueue: queues.control,
      workflowBundle: { codePath: await workflowBundle() },
      activities: controlActivities(deps, home, client),
    });
  } finally {
    await close();
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
