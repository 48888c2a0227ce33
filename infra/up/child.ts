/**
 * One child process that is kept alive.
 *
 * 1. At most one process of a child runs; the next is started only after the last one is gone.
 * 2. Once `stop` was called nothing is started any more, and it returns only when the process is gone.
 * 3. A child has a process group of its own, so that Ctrl-C in a terminal does not reach it before its turn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PawlError } from '../../contracts/failures.ts';
import { pauseBeforeNext, type RestartRule } from './restarts.ts';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Children that must serve before this one starts, and that stop after it. */
  readonly after: readonly string[];
  /** Returns when the child serves. A rejection kills the process, unless it is gone, which the signal tells. */
  ready(pid: number, gone: AbortSignal): Promise<void>;
  /** How long it may take to finish what it has begun. */
  readonly graceMs: number;
}

export interface ChildEvent {
  readonly child: string;
  readonly what: 'started' | 'ready' | 'died' | 'given up' | 'stopped';
  readonly pid: number | null;
  readonly because: string | null;
}

export interface ChildOptions {
  readonly logs: string;
  readonly rule: RestartRule;
  tell(event: ChildEvent): void;
}

const MOST_LOG_BYTES = 20 * 2 ** 20;

export class Child {
  readonly spec: ChildSpec;
  readonly #options: ChildOptions;
  readonly #stopping = new AbortController();
  #process: ChildProcess | null = null;
  #kept: Promise<void> = Promise.resolve();

  constructor(spec: ChildSpec, options: ChildOptions) {
    this.spec = spec;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Returns when it serves for the first time; from then on it is kept alive in the background. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#kept = this.#keep(resolve, reject);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const running = this.#process;
    if (running) {
      running.kill('SIGTERM');
      const patience = setTimeout(() => killGroup(running), this.spec.graceMs);
      await this.#kept;
      clearTimeout(patience);
      this.#tell('stopped', running.pid ?? null, null);
    }
    await this.#kept;
  }

  async #keep(served: () => void, failed: (error: PawlError) => void): Promise<void> {
    const lives: number[] = [];
    while (!this.#stopping.signal.aborted) {
      const begin = performance.now();
      const because = await this.#live(served);
      if (this.#stopping.signal.aborted) break;
      lives.push(performance.now() - begin);
      const wait = pauseBeforeNext(lives, this.#options.rule);
      if (wait === null) {
        failed(this.#giveUp(because));
        return;
      }
      this.#tell('died', null, `${because}; it is started again`);
      await pause(wait, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
    failed(new PawlError('Unavailable', `${this.spec.name} was stopped before it served.`));
  }

  /** One process from its start to its end; answers with how it ended. */
  async #live(served: () => void): Promise<string> {
    const { command, args, env } = this.spec;
    const log = openSync(this.#log(), 'a');
    const child = spawn(command, args, { env, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const ended = endOf(child);
    const gone = new AbortController();
    void ended.then(() => gone.abort());
    if (child.pid === undefined) return ended;

    this.#process = child;
    this.#tell('started', child.pid, null);
    let unready: string | null = null;
    this.spec.ready(child.pid, gone.signal).then(
      () => {
        if (gone.signal.aborted) return;
        this.#tell('ready', this.pid, null);
        served();
      },
      (error: unknown) => {
        if (gone.signal.aborted) return;
        unready = error instanceof Error ? error.message : String(error);
        killGroup(child);
      },
    );
    const because = await ended;
    this.#process = null;
    return unready ?? because;
  }

  #giveUp(because: string): PawlError {
    const { quickDeaths, steadyMs } = this.#options.rule;
    const said = lastLines(this.#log());
    const error = new PawlError(
      'SetupFailed',
      [
        `${this.spec.name} did not last ${steadyMs / 1_000} s, ${quickDeaths} times in a row (${because}); it is not started again.`,
        ...said,
      ].join('\n'),
      { hint: `Its log is ${this.#log()}. \`pawl doctor\` may know why. Mend it, then run \`pawl up\` again.` },
    );
    this.#tell('given up', null, error.message);
    return error;
  }

  /** The log of the day before is kept, so that a child that is restarted for weeks fills no disk. */
  #log(): string {
    const file = join(this.#options.logs, `${this.spec.name}.log`);
    if (existsSync(file) && statSync(file).size > MOST_LOG_BYTES) renameSync(file, `${file}.old`);
    return file;
  }

  #tell(what: ChildEvent['what'], pid: number | null, because: string | null): void {
    this.#options.tell({ child: this.spec.name, what, pid, because });
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'exit');
    return signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
  } catch (error) {
    return `it could not be started: ${error instanceof Error ? error.message : error}`;
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

const lastLines = (file: string): string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.trim())
        .slice(-5)
        .map((line) => `  ${line.slice(0, 300)}`)
    : [];
