/** The router of each service, as its pawl.yaml says. */

import type { ServiceConfig } from '../../contracts/config.ts';
import type { SecretReference } from '../../contracts/config-values.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import type { ControlStore } from '../control/port.ts';
import { readSecret, type SecretPlaces } from '../notifier/secret.ts';
import { embeddedRouter } from './embedded.ts';
import { type HookDeps, httpRouter } from './http.ts';
import type { TrafficRouter } from './port.ts';

export interface Routers {
  /** One that is not ours; null where the gateway's table is the route. */
  external(service: string): Promise<TrafficRouter | null>;
  /** Whichever it is. */
  of(service: string): Promise<TrafficRouter>;
}
export interface RoutersDeps extends Pick<HookDeps, 'now' | 'lookup'> {
  readonly control: Pick<ControlStore, 'state'>;
  readonly services: { config(service: string): Promise<Pick<ServiceConfig, 'router' | 'folder'>> };
  readonly variables: SecretPlaces['variables'];
}

export const routersOf = (deps: RoutersDeps): Routers => {
  const { control, services, variables } = deps;
  const known = new Map<string, TrafficRouter | null>();
  const external = async (service: string): Promise<TrafficRouter | null> => {
    try {
      const { router, folder } = await services.config(service);
      const httpDeps = (secret: SecretReference) => ({
        ...deps,
        secret: () => readSecret(secret, { variables, folder }),
      });
      known.set(service, router && httpRouter(router, httpDeps(router.secret)));
    } catch (error) {
      // A file that somebody broke must not hide the router from a kill.
      if (!(error instanceof PawlError) || failures[error.type].retryable || !known.has(service)) throw error;
    }
    return known.get(service) ?? null;
  };
  return { external, of: async (service) => (await external(service)) ?? embeddedRouter(control) };
};
