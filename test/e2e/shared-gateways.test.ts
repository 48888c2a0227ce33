/** Gateways of two homes on one PostgreSQL: what is told to one of them, the other knows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CORPUS_FILE } from '../../adapters/documents/port.ts';
import { postgresDocuments } from '../../adapters/documents/postgres.ts';
import { homePaths } from '../../adapters/home.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import { eventually } from '../../drills/eventually.ts';
import { enrol, SERVICE, writeService } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { type HomeDeps, openHome } from '../../workers/home.ts';
import { pawlIn } from '../cli/cli-world.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { share } from '../support/shared-homes.ts';

const GATEWAY = join(import.meta.dirname, '../../gateway/main.ts');

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

class Home {
  readonly #gateway: ChildProcess;
  readonly #url: string;
  readonly deps: HomeDeps;
  readonly home: string;
  readonly #variables: Readonly<Record<string, string>>;

  constructor(home: string, variables: Readonly<Record<string, string>>, port: number) {
    this.home = home;
    this.#variables = { ...variables, PAWL_HOME: home };
    this.deps = openHome(readEnvironment(this.#variables));
    this.#url = `http://127.0.0.1:${port}`;
    const { PATH, HOME } = readEnvironment().variables;
    const env = { PATH, HOME, ...this.#variables, PAWL_GATEWAY_PORT: String(port) };
    this.#gateway = spawn(process.execPath, [GATEWAY], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async ask(method: string, path: string, token: string | null, given?: object): Promise<Answer> {
    const json = given && { 'content-type': 'application/json' };
    const headers = { ...json, ...(token && { authorization: `Bearer ${token}` }) };
    const body = given === undefined ? {} : { body: JSON.stringify(given) };
    const response = await fetch(`${this.#url}${path}`, { method, headers, ...body });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  search(token: string, query: string): Promise<Answer> {
    return this.ask('GET', `/v1/search?q=${encodeURIComponent(query)}&k=10`, token);
  }

  pawl(...args: readonly string[]) {
    return pawlIn(this.home, args, this.#variables);
  }

  async serves(): Promise<void> {
    const health = () =>
      fetch(`${this.#url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually(health, (ok) => ok || this.#gateway.exitCode !== null);
  }

  async end(): Promise<void> {
    this.deps.close();
    if (this.#gateway.exitCode !== null) return;
    this.#gateway.kill('SIGTERM');
    await once(this.#gateway, 'exit');
  }
}

describe.skipIf(postgresPrograms === null)('gateways that share a store', () => {
  const server = postgresServer();
  const root = mkdtempSync(join(tmpdir(), 'pawl-gateways-'));
  let one: Home;
  let other: Home;
  /** May change documents, and judge. */
  let writer: string;

  beforeAll(async () => {
    const [first, second] = ['first', 'second'].map((name) => join(root, name)) as [string, string];
    mkdirSync(join(root, 'artifacts'));
    for (const home of [first, second]) {
      mkdirSync(homePaths(home).state, { recursive: true });
      symlinkSync(join(root, 'artifacts'), homePaths(home).artifacts);
      writeService(home, SERVICE, { gateway: '{ access: keys }' });
    }
    const variables = { PAWL_STORE: server.address('s1') };
    const deps = openHome(readEnvironment({ ...variables, PAWL_HOME: first }));
    await enrol(deps.control, deps.artifacts, SERVICE);
    deps.close();
    share(first, second);
    const [port = 0, otherPort = 0] = await freePorts(2);
    one = new Home(first, variables, port);
    other = new Home(second, variables, otherPort);
    const made = await one.pawl('key', 'create', 'writer', '--role', 'admin', '--json');
    writer = (made.json as { token: string }).token;
    await Promise.all([one.serves(), other.serves()]);
  }, 90_000);
  afterAll(async () => {
    await Promise.all([one?.end(), other?.end()]);
    rmSync(root, { recursive: true, force: true });
  });

  test('a key that was made in one home holds at the gateway of the other, and is listed there', async () => {
    for (const home of [one, other]) expect(await home.search(writer, 'anything')).toMatchObject({ status: 200 });
    const listed = await other.pawl('key', 'ls', '--json');
    expect(listed.json).toMatchObject([{ name: 'writer', role: 'admin' }]);
  });

  test('a key that is revoked through one gateway opens nothing at either, from the next request on', async () => {
    const made = await one.ask('POST', '/v1/keys', writer, { name: 'doomed', role: 'reader' });
    const { token, key } = made.body as { token: string; key: { id: string } };
    for (const home of [one, other]) expect((await home.search(token, 'anything')).status).toBe(200);
    const revoked = await other.ask('DELETE', `/v1/keys/${key.id}`, writer);
    expect(revoked.status).toBe(200);
    for (const home of [one, other]) expect((await home.search(token, 'anything')).status).toBe(401);
  });

  test('vitals are of what both gateways served, whichever home looks', async () => {
    const from = Date.now();
    const live = await readJudgedQueries(await one.deps.services.config(SERVICE), 'live');
    const asked = live.slice(0, 20).flatMap(({ text }) => [one.search(writer, text), other.search(writer, text)]);
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 200));
    for (const { deps } of [one, other]) {
      const window = () => deps.vitals.read({ service: SERVICE, from, to: Date.now() + 1 });
      const read = await eventually(window, ({ readings }) => (readings.errors?.n ?? 0) >= asked.length);
      expect(read.readings).toMatchObject({ errors: { value: 0, n: asked.length }, ndcg: { n: asked.length } });
    }
  });

  test('what is told at one gateway about an answer of the other counts, once', async () => {
    const [wish] = await readJudgedQueries(await one.deps.services.config(SERVICE), 'live');
    const { body } = await one.search(writer, wish?.text ?? '');
    const { answer, hits } = body as { answer: string; hits: Array<{ id: string }> };
    const events = [{ kind: 'click', answer, document: hits[0]?.id, position: 1 }];
    const tell = async (home: Home) =>
      (await home.ask('POST', '/v1/feedback', writer, { events })).body.outcomes as Array<{ outcome: string }>;
    const outcomeAt = async (home: Home) => (await tell(home))[0]?.outcome;
    await eventually(
      () => outcomeAt(other),
      (outcome) => outcome === 'accepted', // The log is written a moment after the answer.
    );
    expect(await outcomeAt(one)).toBe('repeated');
    const window = { service: SERVICE, from: 0, to: Date.now() + 1 };
    for (const { deps } of [one, other]) {
      const received = await deps.feedback.received(window);
      expect(received.find((some) => some.answer === answer)?.clicks).toHaveLength(1);
    }
  });

  test('a document that was put through one gateway is found through the other, and is gone from both when it is removed', async () => {
    const documents = [{ id: 'quokka', title: 'Quokka', text: 'The quokka is a small wallaby of Rottnest Island.' }];
    expect((await one.ask('PUT', '/v1/documents', writer, { documents })).status).toBe(200);
    const found = async (home: Home) => {
      const { body } = await home.search(writer, 'quokka wallaby');
      return (body.hits as Array<{ id: string }>).some(({ id }) => id === 'quokka');
    };
    for (const home of [other, one]) await eventually(() => found(home), Boolean);
    expect((await other.ask('POST', '/v1/documents/remove', writer, { ids: ['quokka'] })).body).toMatchObject({
      changed: 1,
    });
    for (const home of [one, other])
      await eventually(
        () => found(home),
        (there) => !there,
      );
  });

  test('while the server is away a gateway says so, and what it was not told it learns when the server is back', async () => {
    await server.kill();
    const { status, body } = await one.search(writer, 'anything');
    expect({ status, body }).toMatchObject({ status: 503, body: { error: { type: 'Unavailable' } } });
    await server.start();
    for (const home of [one, other]) {
      await eventually(
        () => home.search(writer, 'anything'),
        (answer) => answer.status === 200,
      );
    }
  });

  test('two gateways that begin at once take the file of the service in once', async () => {
    const store = postgresDocuments({ address: server.address('s1'), service: SERVICE });
    const { seq, documents, others } = await store.counts(CORPUS_FILE);
    store.close();
    expect(documents).toBeGreaterThan(0);
    expect({ seq, others }).toEqual({ seq: documents + 2, others: 0 }); // The quokka came and went.
  });
});
