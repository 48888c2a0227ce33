import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { runChecks } from '../../infra/doctor/checks.ts';
import { storeCheck } from '../../infra/doctor/home.ts';
import { nodeCheck, spaceCheck } from '../../infra/doctor/machine.ts';
import { skewCheck } from '../../infra/doctor/temporal.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { temporalAddress, temporalBinary } from '../support/temporal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const GIB = 2 ** 30;

test.each([
  [nodeCheck('24.21.0'), 'ok'],
  [nodeCheck('20.1.0'), 'failed'],
  [spaceCheck(50 * GIB), 'ok'],
  [spaceCheck(GIB / 2), 'warning'],
  [spaceCheck(GIB / 10), 'failed'],
  [skewCheck(-1_000), 'ok'],
  [skewCheck(20_000), 'warning'],
  [skewCheck(-3_600_000), 'failed'],
])('$found: %s', (check, state) => {
  expect(check.state).toBe(state);
  expect(check.mend === null).toBe(state === 'ok');
});

describe('the store', () => {
  const path = (): string => homePaths(temporaryFolder()).control;
  const made = (): string => {
    const file = path();
    sqliteControl(file).close();
    return file;
  };

  test('is well when it opens and holds together', () => {
    expect(storeCheck(made())).toMatchObject({ state: 'ok', mend: null });
  });
  test('is only missed where there is none, and looking makes none', () => {
    const file = path();
    expect(storeCheck(file)).toMatchObject({ state: 'warning', mend: expect.stringContaining('pawl init') });
    expect(storeCheck(file).state).toBe('warning');
  });
  test('of a newer Pawl is named as such', () => {
    const file = made();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 999');
    db.close();
    expect(storeCheck(file)).toMatchObject({ state: 'failed', found: expect.stringContaining('schema version 999') });
  });
  test('that is damaged is found out', () => {
    const file = made();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xff, 4_096, 8_192));
    expect(storeCheck(file)).toMatchObject({ state: 'failed', found: expect.stringContaining('damaged') });
  });
});

/** A home on a machine where only Temporal runs. */
const home = async (more: Record<string, string> = {}) => {
  const folder = temporaryFolder();
  const [port = 0] = await freePorts(1);
  return readEnvironment({
    PATH: '',
    PAWL_HOME: folder,
    XDG_CACHE_HOME: folder,
    PAWL_TEMPORAL: temporalBinary(),
    PAWL_TEMPORAL_ADDRESS: temporalAddress(),
    PAWL_GATEWAY_PORT: String(port),
    TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
    ...more,
  });
};
const checksOf = async (environment: Awaited<ReturnType<typeof home>>) =>
  Object.fromEntries((await runChecks(environment)).map((check) => [check.name, check]));

test('what is well is said to be, and what nobody works on is found', async () => {
  const checks = await checksOf(await home());
  for (const name of ['Node', 'Temporal CLI', 'Temporal', 'Namespace', 'Search attributes', 'Clock', 'File system']) {
    expect(checks[name], name).toMatchObject({ state: 'ok' });
  }
  expect(checks['Queue pawl-train-gpu']).toMatchObject({
    state: 'failed',
    found: 'nobody works on it',
    mend: expect.stringContaining('pawl worker'),
  });
  expect(checks.Gateway).toMatchObject({ state: 'failed', mend: expect.stringContaining('pawl gateway') });
  expect(checks.Services).toMatchObject({ state: 'warning', mend: expect.stringContaining('pawl init') });
});

test('every line that is not ok says how to mend it', async () => {
  for (const { state, mend } of await runChecks(await home())) expect(mend === null).toBe(state === 'ok');
});

test('a namespace that is not there is named with the command that makes it', async () => {
  const { Namespace } = await checksOf(await home({ PAWL_NAMESPACE: 'nowhere' }));
  expect(Namespace).toMatchObject({ state: 'failed', mend: expect.stringContaining('namespace create -n nowhere') });
});

test('a Temporal that is away is one line, not many', async () => {
  const [port = 0] = await freePorts(1);
  const names = (await runChecks(await home({ PAWL_TEMPORAL_ADDRESS: `127.0.0.1:${port}` }))).filter(
    ({ state }) => state === 'failed',
  );
  expect(names.map(({ name }) => name)).toEqual(['Temporal', 'Gateway']);
  expect(names[0]?.mend).toContain('pawl up');
});

test('another program on a port is told apart from one that is down', async () => {
  const other = createServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const checks = await checksOf(
    await home({ PAWL_TEMPORAL_ADDRESS: `127.0.0.1:${port}`, PAWL_GATEWAY_PORT: String(port) }),
  );
  expect(checks.Temporal).toMatchObject({ found: `port ${port} is taken by something that is not Temporal` });
  expect(checks.Gateway).toMatchObject({ found: `port ${port} is taken by something else` });
});

describe('a service', () => {
  const yaml = (more = ''): string =>
    `service: docs\nenvironment: dev\ndata: { corpus: c, queries: q, judgements: { train: t, test: e } }\n${more}`;
  const check = async (text: string, files: readonly string[]) => {
    const environment = await home();
    mkdirSync(environment.home, { recursive: true });
    for (const name of files) writeFileSync(join(environment.home, name), '');
    writeFileSync(join(environment.home, 'pawl.yaml'), text);
    return (await checksOf(environment))['Service docs'];
  };

  test('is well with a right file and its data', async () => {
    expect(await check(yaml(), ['c', 'q', 't', 'e'])).toMatchObject({ state: 'ok', found: 'dev, mode observe' });
  });
  test('whose data is missing says which', async () => {
    expect(await check(yaml(), ['c', 'q', 't'])).toMatchObject({
      state: 'failed',
      found: expect.stringMatching(/missing: \S+e$/),
    });
  });
  test('with a wrong key says in which line', async () => {
    expect(await check(yaml('mod: act\n'), [])).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('pawl.yaml:4  mod: there is no such key; did you mean mode?'),
    });
  });
});

describe('the policies', () => {
  const check = async (text: string) => {
    const environment = await home();
    mkdirSync(join(environment.home, 'policies'), { recursive: true });
    writeFileSync(join(environment.home, 'policies', 'own.cedar'), text);
    return (await checksOf(environment)).Policies;
  };

  test('are well when all of them are valid, and those of the home are counted', async () => {
    const own = '@id("own.one") @because("not here") forbid (principal, action == Action::"gc", resource);';
    expect(await check(own)).toMatchObject({ state: 'ok', found: expect.stringContaining('1 of them of this home') });
  });
  test('of which one is broken are named with the line', async () => {
    expect(await check('\nforbid (principal')).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('policies/own.cedar:2'),
      mend: expect.stringContaining('every answer is no'),
    });
  });
});
