import { once } from 'node:events';
import { pino } from 'pino';
import { answersOf } from '../adapters/answer-cache/of-environment.ts';
import { documentsPlace } from '../adapters/documents/of-environment.ts';
import { homePaths } from '../adapters/home.ts';
import { subjectHasher } from '../adapters/keys/subject-key.ts';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { indexesOf } from '../adapters/retrieval/of-environment.ts';
import { gatewaySettings } from '../contracts/config.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { openHome } from '../workers/home.ts';
import { openAccess } from './access-home.ts';
import { createGateway } from './gateway.ts';
import { openEngines } from './home-engines.ts';
import type { SearchEngine } from './search-engine.ts';

/**
 * Serves every service of the home on one port, until it is told to stop; what is in flight is answered first. `around` is for
 * trials of Pawl itself: it stands between the services and their engines.
 */
export const run = async (home: string, around = (engine: SearchEngine): SearchEngine => engine): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  const logger = pino({ name: 'gateway' });
  const configs = await deps.services.all();
  const paths = homePaths(environment.home);
  const settings = configs[0]?.gateway ?? gatewaySettings.parse({});
  const access = openAccess({ ...deps, environment, paths, settings, configs });
  const engines = openEngines({
    ...{ ...deps, configs, documentsOf: (service) => documentsPlace(environment, service) },
    models: modelCacheOf(environment),
    indexes: await indexesOf(environment, paths.retrieval),
  });
  const cache = await answersOf(environment, {
    now: () => performance.now(),
    tell: (trouble) => logger.warn({ trouble }, 'the answer cache'),
  });
  const app = await createGateway({
    ...deps,
    logger,
    access,
    subjectHash: subjectHasher(paths.keys),
    services: engines.services.map((one) => ({ ...one, engine: around(one.engine) })),
    documents: engines.documents,
    cache,
  });
  const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  try {
    const { host, port } = settings;
    const address = await app.listen({ host, port: environment.gatewayPort ?? port });
    logger.info({ address, access: access.mode }, 'the gateway listens');
    await stop;
  } finally {
    await app.close();
    await engines.close();
    access.close();
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
