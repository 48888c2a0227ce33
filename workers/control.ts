import { createAdmissionActivities } from '../activities/admission.ts';
import { createControlActivities } from '../activities/control.ts';
import { createPlanActivities } from '../activities/plan.ts';
import { createTokenActivities } from '../activities/tokens.ts';
import { readPeople } from '../adapters/keys/people.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { workflowBundle } from '../infra/temporal/bundle.ts';
import { connectTemporal } from '../infra/temporal/connect.ts';
import { openHome } from './home.ts';
import { runWorker } from './run.ts';

/** Workflows, and the light activities that they steer by. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  const { client, close } = await connectTemporal(environment, 60_000);
  try {
    await runWorker(environment, {
      taskQueue: queues.control,
      workflowBundle: { codePath: await workflowBundle() },
      activities: {
        ...createControlActivities(deps),
        ...createTokenActivities({ ...deps, people: () => readPeople(home) }),
        ...createPlanActivities(deps),
        ...createAdmissionActivities({ client }),
      },
    });
  } finally {
    await close();
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
