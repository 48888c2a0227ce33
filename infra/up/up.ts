/**
 * `pawl up`: everything of a home on one machine.
 *
 * 1. One `pawl up` a home: the lock is held for as long as it runs, and given up by the system when it is killed.
 * 2. up.json names the processes from the first one on, so that the next `pawl up` can end what a killed one left.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from '../setup/environment.ts';
import { startOf, withLock } from '../setup/lock.mjs';
import { resolveTemporal } from '../setup/temporal.ts';
import { freePorts } from '../temporal/ports.ts';
import { type DevServerOptions, refuseBusyPorts } from '../temporal/server.ts';
import type { ChildEvent, ChildSpec } from './child.ts';
import { pawlChildren, temporalChild } from './children.ts';
import { endLeftovers } from './leftovers.ts';
import { Supervisor } from './supervisor.ts';
import { removeUpFile, type UpFile, writeUpFile } from './up-file.ts';

export interface UpOptions {
  readonly environment: Environment;
  /** Host and port of the gateway as pawl.yaml has them; PAWL_GATEWAY_PORT wins. Port 0: any free one. */
  readonly gateway: { readonly host: string; readonly port: number };
  readonly tell?: (event: ChildEvent) => void;
  /** Called when everything serves. What it answers is waited for; then everything is stopped. */
  readonly whileUp: (up: UpFile) => Promise<void>;
  /** Ends it at any time, also while it starts. */
  readonly signal: AbortSignal;
}

const DEFAULT_PORT = 7233;
const HOST = '127.0.0.1';

export async function runUp(options: UpOptions): Promise<void> {
  const { state } = options.environment;
  mkdirSync(state, { recursive: true });
  await withLock(
    join(state, 'up.lock'),
    () => keepUp(options),
    ({ pid }) => {
      throw new PawlError('Refused', `\`pawl up\` runs here already, as process ${pid}.`, {
        hint: 'Use it as it is, or end it with Ctrl-C in its terminal first.',
      });
    },
  );
}

async function keepUp({ environment, gateway, tell = () => {}, whileUp, signal }: UpOptions): Promise<void> {
  const { state } = environment;
  await endLeftovers(state);
  const { children, content } = await plan(environment, gateway);
  const supervisor = new Supervisor(children, {
    logs: join(state, 'logs'),
    tell: (event) => {
      if (event.what === 'started') write();
      tell(event);
    },
  });
  const write = (): UpFile => {
    const children = supervisor.pids;
    const started = Object.fromEntries(Object.entries(children).map(([name, pid]) => [name, startOf(pid)]));
    const now = { ...content, children, started };
    writeUpFile(state, now);
    return now;
  };
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  try {
    if (signal.aborted) return;
    void stopped.then(() => supervisor.stop());
    await supervisor.start();
    await Promise.race([whileUp(write()), stopped]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await supervisor.stop();
    removeUpFile(state);
  }
}

async function plan(
  environment: Environment,
  wanted: UpOptions['gateway'],
): Promise<{ children: ChildSpec[]; content: Omit<UpFile, 'children' | 'started'> }> {
  const gateway = `http://${wanted.host}:${(environment.gatewayPort ?? wanted.port) || (await freePort())}`;
  const namespace = environment.namespace ?? 'default';
  const server = environment.temporalAddress ? null : await devServer(environment, namespace);
  const address = environment.temporalAddress ?? `${server?.host}:${server?.port}`;
  const env = {
    ...environment.variables,
    ...environment.secrets,
    PAWL_HOME: environment.home,
    PAWL_TEMPORAL_ADDRESS: address,
    PAWL_NAMESPACE: namespace,
    PAWL_GATEWAY_PORT: new URL(gateway).port,
  };
  return {
    children: [
      ...(server ? [temporalChild(server, environment.variables)] : []),
      ...pawlChildren({ temporal: address, namespace, gateway }, env, server ? ['temporal'] : []),
    ],
    content: {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      temporal: { address, namespace, ui: server && `http://${server.host}:${server.uiPort}` },
      gateway,
    },
  };
}

async function devServer(environment: Environment, namespace: string): Promise<DevServerOptions> {
  const { path: binary } = await resolveTemporal(environment);
  const port = (environment.temporalPort ?? DEFAULT_PORT) || (await freePort());
  const options = {
    binary,
    host: HOST,
    port,
    uiPort: environment.temporalPort === 0 ? await freePort() : port + 1_000,
    namespace,
    database: join(environment.state, 'temporal.db'),
    log: join(environment.state, 'logs', 'temporal.log'),
  };
  await refuseBusyPorts(options);
  return options;
}

const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;
