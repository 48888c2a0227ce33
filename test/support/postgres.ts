/**
 * A PostgreSQL server for one file of tests: in a temporary folder, on a Unix socket that only this user and root can
 * reach, and ended with the file.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolvePostgres } from '../../infra/setup/postgres.ts';

/** null: `describe.skipIf`. The closing line of `npm test` names what is missing. */
export const postgresPrograms: string | null = await resolvePostgres(readEnvironment()).catch(() => null);

/** PostgreSQL refuses to run as root: there it runs as the user that its package made. */
const asUser = (): { before: readonly string[]; own: (folder: string) => void } => {
  if (process.getuid?.() !== 0) return { before: [], own: () => undefined };
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const [uid, gid] = [id('-u'), id('-g')];
  const before = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--pdeathsig', 'INT'];
  return { before, own: (folder) => chownSync(folder, uid, gid) };
};

export class PostgresServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pawl-pg-'));
  readonly #user = asUser();
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;
  #schemas = 0;

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.#settings = settings;
  }

  /** Another schema each time: an empty store. */
  address(schema = `s${++this.#schemas}`): string {
    return `postgres://postgres@localhost/postgres?host=${this.#folder}&schema=${schema}`;
  }

  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    if (!existsSync(data)) {
      this.#user.own(this.#folder);
      const made = ['--pgdata', data, '--username', 'postgres', '--auth', 'trust', '--encoding', 'UTF8', '--no-locale'];
      await ended(this.#run('initdb', [...made, '--no-sync']));
    }
    // Without fsync: what the kernel has outlives the server, and nobody pulls the plug here.
    const settings = { listen_addresses: '', fsync: 'off', ...this.#settings };
    const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#process = this.#run('postgres', ['-D', data, '-k', this.#folder, ...given]);
    while (!(await this.#answers())) await delay(20);
  }

  /** With what is in flight, as when the machine goes down; `start` brings it back with what it had acknowledged. */
  async kill(): Promise<void> {
    await this.#stop('SIGQUIT');
  }

  async end(): Promise<void> {
    await this.#stop('SIGINT');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** As an operator would, in one session. */
  async session<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.address() });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  query(text: string): Promise<ReadonlyArray<Record<string, unknown>>> {
    return this.session(async (client) => (await client.query(text)).rows);
  }

  /** Until so many sessions of Pawl's wait for what another one holds. */
  async waiting(count: number): Promise<void> {
    const text = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pawl' AND wait_event_type = 'Lock'`;
    while ((await this.query(text)).length < count) await delay(20);
  }

  async #answers(): Promise<boolean> {
    if (this.#process?.exitCode !== null) throw new Error('The PostgreSQL server ended while it was starting');
    return this.query('SELECT 1').then(
      () => true,
      () => false,
    );
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const exit = once(running, 'exit');
    running.kill(signal);
    await exit;
  }

  #run(program: string, given: readonly string[]): ChildProcess {
    const [command = '', ...rest] = [...this.#user.before, join(postgresPrograms ?? '', program), ...given];
    return spawn(command, rest, { cwd: this.#folder, stdio: ['ignore', 'ignore', 'ignore'] });
  }
}

const ended = async (child: ChildProcess): Promise<void> => {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`initdb ended with ${code}`);
};

/** One server for all tests of a file. */
export const postgresServer = (settings?: Readonly<Record<string, string>>): PostgresServer => {
  const server = new PostgresServer(settings);
  beforeAll(() => server.start());
  afterAll(() => server.end());
  return server;
};
