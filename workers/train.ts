import { createStageActivities } from '../activities/stages.ts';
import { createTrainingActivities } from '../activities/training.ts';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { openHome } from './home.ts';
import { runWorker } from './run.ts';

/** Training, one run at a time on this device. It loads no workflows, and may be stopped and started at will. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  try {
    const { train } = createStageActivities(deps);
    await runWorker(environment, {
      taskQueue: queues.train,
      activities: { train, ...createTrainingActivities({ ...deps, models: modelCacheOf(environment) }) },
      maxConcurrentActivityTaskExecutions: 1,
      // A cancellation comes with the answer to a heartbeat: whoever aborts a training does not wait for longer than this.
      maxHeartbeatThrottleInterval: '1s',
    });
  } finally {
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
