import { PawlError } from '../../contracts/failures.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { ControlStore } from '../control/port.ts';
import { newer, type Route, type TrafficRouter } from './port.ts';

/** The gateway's own table. The row of the store is the route, so to set it is to read it back. */
export const embeddedRouter = (control: Pick<ControlStore, 'state'>): TrafficRouter => ({
  set: async ({ service, token }) => {
    const state = await control.state(service);
    if (state === null) throw new PawlError('NotFound', `The store knows no service ${service}.`);
    const route = routeOf(state);
    const order = newer(token, route.token);
    if (order > 0) throw new PawlError('Usage', `The store has never granted ${token.epoch}.${token.promotion}.`);
    return order < 0 ? { outcome: 'refused', because: 'stale', route } : { outcome: 'done', route };
  },
  read: async (service) => {
    const state = await control.state(service);
    return state && routeOf(state);
  },
});

export const routeOf = ({ epoch, promotion, arms, champion }: ServiceState): Route => ({
  token: { epoch, promotion },
  arms,
  champion,
});
