/** The router of docs/examples on loopback, as an owner would run it, with faults between it and whoever calls. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { httpRouter } from '../../adapters/router/http.ts';
import type { TrafficRouter } from '../../adapters/router/port.ts';
import { createRouteServer } from '../../docs/examples/route-traffic.mjs';

export const ROUTER_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

/** Strikes instead of the router; `apply` lets it do what it was asked all the same. */
export type RouteFault = (response: ServerResponse, apply: () => void, request: IncomingMessage) => void;

/** It is applied, and whoever asked never hears of it. */
export const appliedThenSilent: RouteFault = (response, apply) => {
  const silent = { writeHead: () => silent, end: () => silent };
  Object.assign(response, silent);
  apply();
};

export interface RouteServer {
  readonly port: number;
  readonly hook: string;
  readonly allow: readonly string[];
  /** Requests that came, faults included. */
  readonly requests: string[];
  /** One for each of the next requests. */
  readonly faults: RouteFault[];
  router(over?: { secret?: string; timeoutMs?: number }): TrafficRouter;
}

export const startRouteServer = async (own: Server = createRouteServer(ROUTER_SECRET)): Promise<RouteServer> => {
  const requests: string[] = [];
  const faults: RouteFault[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const apply = (): void => void own.emit('request', request, response);
    const fault = faults.shift();
    if (fault) fault(response, apply, request);
    else apply();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const hook = `http://127.0.0.1:${port}/route?mesh=eu`;
  const allow = [`127.0.0.1:${port}`];
  return {
    ...{ port, hook, allow, requests, faults },
    // With patience, where it is not the time-out that is tested: the machine may be busy.
    router: ({ secret = ROUTER_SECRET, timeoutMs = 20_000 } = {}) =>
      httpRouter({ hook, allow }, { secret: async () => secret, now: Date.now, timeoutMs }),
  };
};
