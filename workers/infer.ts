import { Devices } from '../activities/devices.ts';
import { createInferenceActivities } from '../activities/inference.ts';
import { claiming } from '../adapters/device-claims.ts';
import { homePaths } from '../adapters/home.ts';
import { encoderSource } from '../adapters/models/encoder-source.ts';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { queues } from '../contracts/queues.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { deviceName } from '../ml/session/device.ts';
import { tryDevice } from '../ml/session/try-device.ts';
import { openHome } from './home.ts';
import { runWorker } from './run.ts';

/** Inference over whole data sets, on the devices that PAWL_DEVICES names: never more at once than their shares. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const names = environment.devices.map(deviceName);
  await claiming(homePaths(home).devices, queues.infer, names, async () => {
    for (const device of environment.devices) await tryDevice(device);
    const deps = openHome(environment);
    const devices = new Devices(environment.devices);
    try {
      await runWorker(environment, {
        taskQueue: queues.infer,
        activities: createInferenceActivities({
          artifacts: deps.artifacts,
          encoders: encoderSource({ ...deps, cache: modelCacheOf(environment) }),
          devices,
        }),
        maxConcurrentActivityTaskExecutions: devices.places,
      });
    } finally {
      deps.close();
    }
  });
};

if (import.meta.main) await run(readEnvironment().home);
