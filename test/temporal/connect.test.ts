import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { connectTemporal } from '../../infra/temporal/connect.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { temporalTarget, workflowLink } from '../../infra/temporal/target.ts';
import { writeUpFile } from '../../infra/up/up-file.ts';
import { temporalAddress } from '../support/temporal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a server that is there is connected to', async () => {
  const temporal = await connectTemporal(readEnvironment({ PAWL_TEMPORAL_ADDRESS: temporalAddress() }));
  const { serverVersion } = await temporal.connection.workflowService.getSystemInfo({});
  expect(serverVersion).toMatch(/^\d+\.\d+/);
  await temporal.close();
});

test('a server that is not there is an error that says where it was looked for and what to do', async () => {
  const [port = 0] = await freePorts(1);
  const environment = readEnvironment({ PAWL_TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  await expect(connectTemporal(environment, 0)).rejects.toMatchObject({
    type: 'Unavailable',
    message: `Temporal is not reachable at 127.0.0.1:${port}.`,
    hint: 'Start it with `pawl up`, or set PAWL_TEMPORAL_ADDRESS. (`pawl doctor` checks everything.)',
  });
});

/** A home in which `pawl up` runs, and a user with a Temporal profile. */
const world = () => {
  const home = temporaryFolder();
  const profile = join(home, 'temporal.toml');
  writeFileSync(profile, '[profile.default]\naddress = "cloud.example.com:7233"\nnamespace = "prod"\napi_key = "k"\n');
  mkdirSync(join(home, '.pawl'));
  return {
    none: { PAWL_HOME: home, TEMPORAL_CONFIG_FILE: join(home, 'none.toml') },
    profile: { PAWL_HOME: home, TEMPORAL_CONFIG_FILE: profile },
    up: () =>
      writeUpFile(join(home, '.pawl'), {
        pid: process.pid,
        startedAt: '2026-11-21T00:00:00.000Z',
        temporal: { address: '127.0.0.1:7300', namespace: 'laptop', ui: 'http://127.0.0.1:9000' },
        gateway: null,
        children: {},
        started: {},
      }),
  };
};

test('with nothing set, the dev server’s usual place is meant', () => {
  expect(temporalTarget(readEnvironment(world().none))).toMatchObject({
    address: '127.0.0.1:7233',
    namespace: 'default',
    ui: 'http://127.0.0.1:8233',
  });
});

test('the user’s Temporal profile is used where there is one, with its key', () => {
  expect(temporalTarget(readEnvironment(world().profile))).toMatchObject({
    address: 'cloud.example.com:7233',
    namespace: 'prod',
    ui: null,
    options: { apiKey: 'k' },
  });
});

test('the `pawl up` of this home goes before the profile, and gets none of its keys', () => {
  const { profile, up } = world();
  up();
  expect(temporalTarget(readEnvironment(profile))).toEqual({
    address: '127.0.0.1:7300',
    namespace: 'laptop',
    ui: 'http://127.0.0.1:9000',
    options: {},
  });
});

test('PAWL_TEMPORAL_ADDRESS and PAWL_NAMESPACE go before all', () => {
  const { profile, up } = world();
  up();
  const variables = { ...profile, PAWL_TEMPORAL_ADDRESS: '10.0.0.1:7233', PAWL_NAMESPACE: 'mine' };
  expect(temporalTarget(readEnvironment(variables))).toMatchObject({
    address: '10.0.0.1:7233',
    namespace: 'mine',
    options: {},
  });
});

test('a profile that cannot be read is an error that names it', () => {
  const { profile } = world();
  writeFileSync(profile.TEMPORAL_CONFIG_FILE, '[profile');
  expect(() => temporalTarget(readEnvironment(profile))).toThrow('Your Temporal profile cannot be read');
});

test('a link leads to the workflow, whatever is in its id', () => {
  const target = { address: '', namespace: 'a b', ui: 'http://127.0.0.1:8233', options: {} };
  expect(workflowLink(target, 'pawl:docs:cycle:si_1')).toBe(
    'http://127.0.0.1:8233/namespaces/a%20b/workflows/pawl%3Adocs%3Acycle%3Asi_1',
  );
  expect(workflowLink({ ...target, ui: null }, 'pawl:docs')).toBeNull();
});
