import { once } from 'node:events';
import { pino } from 'pino';
import { homePaths } from '../adapters/home.ts';
import { subjectHasher } from '../adapters/keys/subject-key.ts';
import { environmentAt, readEnvironment } from '../infra/setup/environment.ts';
import { openHome } from '../workers/home.ts';
import { createGateway } from './gateway.ts';
import { createLexicalEngine } from './lexical-engine.ts';

/** Serves every service of the home on one port, until it is told to stop; what is in flight is answered first. */
export const run = async (home: string): Promise<void> => {
  const environment = environmentAt(home);
  const deps = openHome(environment);
  const logger = pino({ name: 'gateway' });
  const configs = await deps.services.all();
  const app = await createGateway({
    ...deps,
    logger,
    subjectHash: subjectHasher(homePaths(environment.home).keys),
    services: configs.map(({ service, cpuHour, data }) => ({
      service,
      cpuHour,
      engine: createLexicalEngine({ ...deps, service, corpus: data.corpus }),
    })),
  });
  const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  try {
    const { host, port } = configs[0]?.gateway ?? { host: '127.0.0.1', port: 8787 };
    const address = await app.listen({ host, port: environment.gatewayPort ?? port });
    logger.info({ address }, 'the gateway listens');
    await stop;
  } finally {
    await app.close();
    deps.close();
  }
};

if (import.meta.main) await run(readEnvironment().home);
