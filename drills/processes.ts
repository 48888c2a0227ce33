/**
 * What `pawl up` starts, on a Temporal server of its own or on that of another home, with each process in the hands of a
 * trial: started, frozen, killed with -9, started anew. Whatever was started here is ended here, by its process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../adapters/home.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import { resolveTemporal } from '../infra/setup/temporal.ts';
import { freePorts } from '../infra/temporal/ports.ts';
import type { ChildSpec } from '../infra/up/child.ts';
import { pawlChildren, temporalChild } from '../infra/up/children.ts';

export const WORKERS = ['worker-control', 'worker-data', 'worker-train'] as const;
export type WorkerName = (typeof WORKERS)[number];
export type ProcessName = 'temporal' | 'gateway' | WorkerName;

export interface ProcessesOptions {
  /** The address of a server that runs already; otherwise they have one of their own. */
  readonly temporal?: string;
  readonly workers?: readonly WorkerName[];
  /** Runs in place of the gateway's own entry: a module with its arguments. */
  readonly gateway?: readonly [module: string, ...args: string[]];
  /** On top of what all of them are told, such as where several homes keep what they share. */
  readonly variables?: Readonly<Record<string, string>>;
}

const HOST = '127.0.0.1';
const NAMESPACE = 'default';

export class Processes {
  readonly temporal: string;
  readonly gateway: string;
  readonly #specs: ReadonlyMap<string, ChildSpec>;
  readonly #logs: string;
  readonly #running = new Map<string, ChildProcess>();

  private constructor(
    home: string,
    { temporal, variables, gateway: entry }: ProcessesOptions,
    binary: string,
    [port = 0, gatewayPort = 0]: readonly number[],
  ) {
    this.temporal = temporal ?? `${HOST}:${port}`;
    this.gateway = `http://${HOST}:${gatewayPort}`;
    const { state } = homePaths(home);
    this.#logs = join(state, 'logs');
    mkdirSync(this.#logs, { recursive: true });
    const { PATH, HOME, XDG_CACHE_HOME } = readEnvironment().variables;
    const env = {
      ...{ PATH, HOME, XDG_CACHE_HOME, TEMPORAL_CONFIG_FILE: join(home, 'none.toml') },
      PAWL_HOME: home,
      PAWL_TEMPORAL_ADDRESS: this.temporal,
      PAWL_NAMESPACE: NAMESPACE,
      PAWL_GATEWAY_PORT: String(gatewayPort),
      ...variables,
    };
    const server = { binary, host: HOST, port, uiPort: null, namespace: NAMESPACE };
    const files = { database: join(state, 'temporal.db'), log: join(this.#logs, 'temporal.log') };
    const addresses = { temporal: this.temporal, namespace: NAMESPACE, gateway: this.gateway };
    const specs = [temporalChild({ ...server, ...files }, env), ...pawlChildren(addresses, env, [])];
    const entered = specs.map((spec) => (entry && spec.name === 'gateway' ? { ...spec, args: entry } : spec));
    this.#specs = new Map(entered.map((spec) => [spec.name, spec]));
    process.once('exit', this.#killAll);
  }

  /** All of them, serving. */
  static async startAll(home: string, options: ProcessesOptions = {}): Promise<Processes> {
    const { path: binary } = await resolveTemporal(readEnvironment());
    const processes = new Processes(home, options, binary, await freePorts(2));
    const { temporal, workers = WORKERS } = options;
    try {
      if (temporal === undefined) await processes.start('temporal');
      await Promise.all((['gateway', ...workers] as const).map((name) => processes.start(name)));
      return processes;
    } catch (error) {
      await processes.end();
      throw error;
    }
  }

  /** Returns when it serves; what went wrong stands in its log. */
  async start(name: ProcessName): Promise<void> {
    const spec = this.#specs.get(name);
    if (!spec || this.#running.has(name)) throw new Error(`${name} runs already, or is no process`);
    const log = openSync(this.#logOf(name), 'a');
    const child = spawn(spec.command, spec.args, { env: spec.env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#running.set(name, child);
    const gone = new AbortController();
    child.once('exit', (code, signal) => gone.abort(`${name} ended with ${signal ?? code}`));
    try {
      await spec.ready(child.pid ?? 0, gone.signal);
    } catch (error) {
      // A kill in the middle of the start is what some trials are about; they start it again.
      if (child.signalCode !== 'SIGKILL')
        throw new Error(`${name} did not start:\n${this.logOf(name)}`, { cause: error });
    }
  }

  /** As the machine's own end would come: no handler runs, nothing is flushed. */
  async kill(name: ProcessName): Promise<void> {
    await this.#endWith(name, 'SIGKILL');
  }

  async stop(name: ProcessName): Promise<void> {
    await this.#endWith(name, 'SIGTERM');
  }

  /** As which its work is signed in Temporal: `queue@pid`. */
  pidOf(name: ProcessName): number | undefined {
    return this.#running.get(name)?.pid;
  }

  /** It keeps its connections, so that it can still be given work, but does nothing. */
  freeze(name: ProcessName): void {
    this.#running.get(name)?.kill('SIGSTOP');
  }

  thaw(name: ProcessName): void {
    this.#running.get(name)?.kill('SIGCONT');
  }

  logOf(name: ProcessName): string {
    return readFileSync(this.#logOf(name), 'utf8');
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.kill(name as ProcessName)));
    process.off('exit', this.#killAll);
  }

  #logOf(name: string): string {
    return join(this.#logs, `${name}.log`);
  }

  async #endWith(name: ProcessName, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#running.get(name);
    if (!child) return;
    this.#running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  #killAll = (): void => {
    for (const child of this.#running.values()) child.kill('SIGKILL');
  };
}
