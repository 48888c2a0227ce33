/** Tells a service's own router of a kill in the store, where no worker does. */
import { routeOf } from '../adapters/router/embedded.ts';
import { routersOf } from '../adapters/router/of-service.ts';
import type { Context } from './context.ts';
import { asPawlError } from './failure.ts';
import { bad } from './text.ts';

/** Tried once: nobody waits for a router while they kill. What it does not hear is said. */
export const tellRouter = async (context: Context, service: string, key: string): Promise<void> => {
  const { control, environment } = context;
  const services = { config: (name: string) => context.config(name) };
  const variables = { ...environment.variables, ...environment.secrets };
  try {
    const router = await routersOf({ control, services, variables, now: Date.now }).external(service);
    const state = await control.state(service);
    if (router && state) await router.set({ ...routeOf(state), key, service });
  } catch (error) {
    const { message } = asPawlError(error);
    context.out.note([bad(`The router of ${service} was not told: `), message, '. Steer it to gold by hand.']);
  }
};
