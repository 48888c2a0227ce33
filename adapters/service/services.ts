import type { ServiceConfig } from '../../contracts/config.ts';
import type { Environment } from '../../contracts/plan.ts';
import { findServices, loadService, serviceNamed } from './config.ts';

/** The services of a home, read anew each time: what a person changes counts from the next cycle on. */
export interface Services {
  config(service: string): Promise<ServiceConfig>;
  all(): Promise<readonly ServiceConfig[]>;
}

export const servicesOf = (home: string, environment: Environment | null): Services => ({
  config: (service) => serviceNamed(home, service, environment),
  all: async () => Promise.all((await findServices(home)).map(({ file }) => loadService(file, environment))),
});
