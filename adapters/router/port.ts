/**
 * Whatever spreads the requests of a service over its variants: the gateway's own table, or a router that is not ours.
 *
 * 1. The store decides, and a router is told what it has decided. It holds the token of the last change, and refuses each
 *    change with an older one: by epoch, then by promotion (compare and set).
 * 2. Within one token, changes come one after the other, each known before the next is made. A repeated key changes nothing,
 *    and is answered with what the router holds by now.
 * 3. What a router holds is read back from it, never assumed.
 */
import type { Arm, FencingToken } from '../../contracts/traffic.ts';

/** What a router holds of a service. */
export interface Route {
  readonly token: FencingToken;
  readonly arms: readonly Arm[];
  /** null where nobody is champion yet. */
  readonly champion: string | null;
}

export interface RouteOrder extends Route {
  /** Of the change in the store. */
  readonly key: string;
  readonly service: string;
}

export type RouteAnswer =
  | { readonly outcome: 'done'; readonly route: Route }
  /** The router holds a newer token; `route` is what it holds. */
  | { readonly outcome: 'refused'; readonly because: 'stale'; readonly route: Route };

export interface TrafficRouter {
  set(order: RouteOrder): Promise<RouteAnswer>;
  /** null: it has never been told of this service. */
  read(service: string): Promise<Route | null>;
}

/** Which of two tokens is newer: above 0 where it is the first. */
export const newer = (a: FencingToken, b: FencingToken): number => a.epoch - b.epoch || a.promotion - b.promotion;
