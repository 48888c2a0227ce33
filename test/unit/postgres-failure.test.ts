import { expect, test } from 'vitest';
import { postgresAddress } from '../../adapters/postgres/address.ts';
import { storeFailure, wasGivenUp } from '../../adapters/postgres/store-failure.ts';
import { failures, PawlError } from '../../contracts/failures.ts';

const said = (message: string, code?: string): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });
const means = (error: Error): PawlError => storeFailure('postgres://db/pawl', error) as PawlError;

test.each([
  ['a lock that was not had', said('canceling statement due to lock timeout', '55P03'), 'StoreBusy'],
  ['a deadlock', said('deadlock detected', '40P01'), 'StoreBusy'],
  ['changes that cannot both be', said('could not serialize access', '40001'), 'StoreBusy'],
  ['too many connections', said('sorry, too many clients already', '53300'), 'StoreBusy'],
  ['a pool that is used up', said('timeout exceeded when trying to connect'), 'StoreBusy'],
  ['a full disk', said('could not extend file', '53100'), 'DiskFull'],
  ['a server that shuts down', said('terminating connection due to administrator command', '57P01'), 'Unavailable'],
  ['a server that is starting', said('the database system is starting up', '57P03'), 'Unavailable'],
  ['a connection that broke', said('Connection terminated unexpectedly'), 'Unavailable'],
  ['a server that says nothing', said('Query read timeout'), 'Unavailable'],
  ['nobody at the port', said('', 'ECONNREFUSED'), 'Unavailable'],
  ['a name that nobody knows', said('getaddrinfo ENOTFOUND db', 'ENOTFOUND'), 'Unavailable'],
  ['a wrong password', said('password authentication failed', '28P01'), 'Unavailable'],
  ['a standby', said('cannot execute LOCK TABLE during recovery', '25006'), 'Unavailable'],
  ['damage', said('invalid page in block 0', 'XX001'), 'Unavailable'],
  ['a session that was ended for its silence', said('idle-in-transaction timeout', '25P03'), 'Unavailable'],
] as const)('%s is a failure that a retry may mend, and says what to do', (_, error, type) => {
  const failure = means(error);
  expect(failure).toMatchObject({ type, hint: expect.any(String), cause: error });
  expect(failures[failure.type].retryable).toBe(true);
  expect(failure.message).not.toMatch(/: $/);
});

test('an error of Pawl, and a defect, stay what they are', () => {
  const own = new PawlError('Usage', 'no');
  const defect = said('column "x" does not exist', '42703');
  expect(storeFailure('postgres://db/pawl', own)).toBe(own);
  expect(storeFailure('postgres://db/pawl', defect)).toBe(defect);
});

test('only what the server gave up by itself is made again', () => {
  expect(wasGivenUp(said('', '40001'))).toBe(true);
  expect(wasGivenUp(said('', '40P01'))).toBe(true);
  expect(wasGivenUp(said('', '55P03'))).toBe(false);
  expect(wasGivenUp(said('Connection terminated unexpectedly'))).toBe(false);
});

test('an address says where the tables lie, and is shown without its password', () => {
  const address = postgresAddress('postgres://pawl:s3cret@db.example:5432/loop?sslmode=verify-full&schema=staging');
  expect(address).toMatchObject({ schema: 'staging', place: 'postgres://db.example:5432/loop, schema staging' });
  expect(address.url).toBe('postgres://pawl:s3cret@db.example:5432/loop?sslmode=verify-full');
  expect(postgresAddress('postgresql://localhost/pawl').schema).toBe('pawl');
});

test.each(['mysql://db/pawl', 'pawl.db', 'postgres://db/pawl?schema=a"b', 'postgres://db/pawl?schema=Public'])(
  'what is no address of a store is refused: %s',
  (text) => {
    expect(() => postgresAddress(text)).toThrow(expect.objectContaining({ type: 'ConfigInvalid' }));
  },
);

test('an address that cannot be read is not repeated, for there may be a password in it', () => {
  const refused = (() => {
    try {
      return postgresAddress('postgers://pawl:s3cret@db/pawl');
    } catch (error) {
      return error;
    }
  })();
  expect(JSON.stringify([String(refused), refused])).not.toContain('s3cret');
});
