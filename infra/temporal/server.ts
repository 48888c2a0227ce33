/** The dev server of Temporal's CLI as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { PawlError } from '../../contracts/failures.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { isFree } from './ports.ts';
import { missingSearchAttributes } from './search-attributes.ts';

export interface DevServerOptions {
  readonly binary: string;
  readonly host: string;
  readonly port: number;
  /** null: without the Web UI. */
  readonly uiPort: number | null;
  readonly namespace: string;
  /** null: everything is lost when it stops. */
  readonly database: string | null;
  readonly log: string;
}

export interface DevServer {
  readonly address: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

/**
 * One partition per queue: with the usual four, a task of a nearly idle queue goes through a second hop. Eager
 * activities skip a round trip for those that run on the worker which scheduled them.
 */
const dynamicConfig = {
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'system.enableActivityEagerExecution': true,
} as const;

export function devServerArguments(options: DevServerOptions): string[] {
  const { host, port, uiPort, namespace, database } = options;
  return [
    ...['server', 'start-dev', '--ip', host, '--port', String(port), '--namespace', namespace],
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(database === null ? [] : ['--db-filename', database]),
    ...Object.values(searchAttributes).flatMap(({ name }) => ['--search-attribute', `${name}=Keyword`]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...['--log-format', 'json', '--log-level', 'warn'],
  ];
}

/** Refuses a port that is taken before anything starts: the server's own message is harder to read. */
export async function refuseBusyPorts({ host, port, uiPort }: DevServerOptions): Promise<void> {
  for (const [wanted, use] of [[port, 'Temporal'] as const, [uiPort, "Temporal's Web UI"] as const]) {
    if (wanted === null || (await isFree(wanted, host))) continue;
    throw new PawlError('SetupFailed', `Port ${wanted} of ${host}, meant for ${use}, is taken by another program.`, {
      hint: `If it is a Temporal server that you want to use, set PAWL_TEMPORAL_ADDRESS=${host}:${port}; otherwise set PAWL_TEMPORAL_PORT to a free port (the Web UI takes that port + 1000).`,
    });
  }
}

export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  await refuseBusyPorts(options);
  mkdirSync(dirname(options.log), { recursive: true });
  if (options.database) mkdirSync(dirname(options.database), { recursive: true });
  const log = openSync(options.log, 'a');
  const logged = fstatSync(log).size;
  const child = spawn(options.binary, devServerArguments(options), { stdio: ['ignore', log, log] });
  closeSync(log);

  const ended = new AbortController();
  child.once('error', (error) => ended.abort(error.message));
  child.once('exit', (code, signal) => ended.abort(`it ended with ${signal ?? `exit code ${code}`}`));
  const stop = () => stopChild(child, ended.signal);
  const address = `${options.host}:${options.port}`;
  try {
    await devServerReady(address, options.namespace, ended.signal);
  } catch (error) {
    await stop();
    const why = ended.signal.aborted ? String(ended.signal.reason) : reason(error);
    throw new PawlError(
      'SetupFailed',
      [`Temporal did not start: ${why}.`, ...lastWords(options.log, logged)].join('\n'),
      {
        hint: `Its log is ${options.log}. \`pawl doctor\` checks the binary, the ports and the disk.`,
      },
    );
  }
  return { address, process: child, stop };
}

/** Returns when the namespace answers and knows Pawl's search attributes. */
export async function devServerReady(address: string, namespace: string, ended: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const because = await notReady(address, namespace);
    if (because === null) return;
    if (Date.now() > deadline) throw new Error(`not ready after ${READY_WITHIN_MS / 1_000} s: ${because}`);
    await pause(50, undefined, { signal: ended });
  }
}

async function notReady(address: string, namespace: string): Promise<string | null> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2s' });
    await connection.workflowService.describeNamespace({ namespace });
    const missing = await missingSearchAttributes(connection, namespace);
    return missing.length === 0 ? null : `no search attribute ${missing.join(', ')}`;
  } catch (error) {
    return reason(error);
  } finally {
    await connection?.close();
  }
}

async function stopChild(child: ChildProcess, ended: AbortSignal): Promise<void> {
  if (ended.aborted) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await gone;
  clearTimeout(kill);
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const lastWords = (file: string, from: number): string[] =>
  readFileSync(file)
    .subarray(from)
    .toString()
    .split('\n')
    .filter((line) => line.trim())
    .slice(-5)
    .map((line) => `  ${line.slice(0, 300)}`);
