import type { ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from '../../contracts/plan.ts';
import { findServices, loadService } from './config.ts';

/** The services of a home, read anew each time: what a person changes counts from the next cycle on. */
export interface Services {
  config(service: string): Promise<ServiceConfig>;
  all(): Promise<readonly ServiceConfig[]>;
}

export const servicesOf = (home: string, environment: Environment | null): Services => ({
  config: async (service) => {
    const found = await findServices(home);
    const file = found.find((one) => one.service === service)?.file;
    if (file) return loadService(file, environment);
    const names = found.map((one) => one.service).join(', ') || 'none';
    throw new PawlError('NotFound', `There is no service ${JSON.stringify(service)} in ${home} (found: ${names}).`, {
      hint: '`pawl init` makes one; --home names another home.',
    });
  },
  all: async () => Promise.all((await findServices(home)).map(({ file }) => loadService(file, environment))),
});
