import { expect, test } from 'vitest';
import { readEnvironment } from '../../infra/setup/environment.ts';

test.each([
  [{ PAWL_TEMPORAL_PORT: 'http' }, 'PAWL_TEMPORAL_PORT: expected a port from 0 to 65535, found "http"'],
  [{ PAWL_GATEWAY_PORT: '70000' }, 'PAWL_GATEWAY_PORT: expected a port from 0 to 65535, found "70000"'],
  [
    { PAWL_TEMPORAL_ADDRESS: 'http://x' },
    'PAWL_TEMPORAL_ADDRESS: expected an address such as "127.0.0.1:7233", found "http://x"',
  ],
  [{ PAWL_ENVIRONMENT: 'prod' }, 'PAWL_ENVIRONMENT: expected one of dev, staging, production, found "prod"'],
])('%o is refused with the name, what was expected and what came', (variables, message) => {
  expect(() => readEnvironment(variables)).toThrow(message);
});

test('all that is wrong is named at once', () => {
  expect(() => readEnvironment({ PAWL_TEMPORAL_PORT: 'x', PAWL_ENVIRONMENT: 'y' })).toThrow(
    /PAWL_TEMPORAL_PORT.*\n.*PAWL_ENVIRONMENT/,
  );
});

test('an empty variable counts as unset', () => {
  expect(readEnvironment({ PAWL_TEMPORAL_PORT: '', PAWL_ENVIRONMENT: '', CI: '' })).toMatchObject({
    temporalPort: null,
    environment: null,
    ci: false,
  });
});

test.each(['127.0.0.1:7233', 'temporal.example.com:7233', '[::1]:7233'])('%s is an address', (address) => {
  expect(readEnvironment({ PAWL_TEMPORAL_ADDRESS: address }).temporalAddress).toBe(address);
});

test('abuse 64: the passphrase of a key stands in no environment that a child is given', () => {
  const environment = readEnvironment({ PAWL_PASSPHRASE: 'open sesame', PATH: '/bin' });
  expect(environment.passphrase).toBe('open sesame');
  expect(environment.variables).toEqual({ PATH: '/bin' });
});

test('the address of a shared store is given to the processes of Pawl, and neither shown nor handed on to others', () => {
  const address = 'postgres://pawl:open-sesame@db:5432/pawl';
  const environment = readEnvironment({ PAWL_STORE: address, PATH: '/bin' });
  expect(environment).toMatchObject({ store: address, variables: { PATH: '/bin' }, secrets: { PAWL_STORE: address } });
  expect(environment.variables).not.toHaveProperty('PAWL_STORE');
  expect(readEnvironment({}).store).toBeNull();
  const wrong = () => readEnvironment({ PAWL_STORE: 'mysql://pawl:open-sesame@db/pawl' });
  expect(wrong).toThrow('PAWL_STORE: expected an address such as "postgres://user@host:5432/database"');
  expect(wrong).not.toThrow('open-sesame');
});

test('the state lies in the home, the cache with the user', () => {
  expect(readEnvironment({ PAWL_HOME: '/srv/pawl', XDG_CACHE_HOME: '/var/cache' })).toMatchObject({
    home: '/srv/pawl',
    state: '/srv/pawl/.pawl',
    cache: '/var/cache/pawl',
  });
});
