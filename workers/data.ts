import { createStageActivities } from '../activities/stages.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { openHome } from './home.ts';
import { runWorker } from './run.ts';

/** The stages that look at data, but for training. It loads no workflows. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  try {
    const { train: _, ...stages } = createStageActivities(deps);
    await runWorker(environment, {
      taskQueue: queues.data,
      activities: stages,
      maxConcurrentActivityTaskExecutions: 4,
    });
  } finally {
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
