import { PawlError } from '../../contracts/failures.ts';

/** Another change was faster, and PostgreSQL gave this one up: it may simply be made again (SQLSTATE, class 40). */
const GIVEN_UP = new Set(['40001', '40P01']);
/** It waited for its turn in vain: lock_not_available, query_canceled, too_many_connections. */
const BUSY = new Set(['55P03', '57014', '53300', ...GIVEN_UP]);
/** disk_full. */
const FULL = '53100';
/** data_corrupted, index_corrupted. */
const DAMAGED = new Set(['XX001', 'XX002']);
/** What a person must mend before it works again, and how. */
const MENDED: Readonly<Record<string, string>> = {
  '25006': 'This server takes no changes: it is a standby, or set to read only. Name the primary in PAWL_STORE.',
  '28000': 'Check the user in PAWL_STORE, and pg_hba.conf of the server.',
  '28P01': 'Check the user and the password in PAWL_STORE.',
  '3D000': 'Make the database first: `createdb NAME`.',
  '42501': 'Give the user of PAWL_STORE its own schema: `CREATE SCHEMA pawl AUTHORIZATION "user"`.',
};
/** Connection exceptions, other resources that ran out, the server's own errors, what an operator did, a session that froze. */
const AWAY = /^(08|53|58|57P|XX|25P0[34])/;

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

export const wasGivenUp = (error: unknown): boolean => error instanceof Error && GIVEN_UP.has(codeOf(error));

/** What an error of PostgreSQL or of the way to it means to the caller. */
export const storeFailure = (place: string, error: unknown): unknown => {
  if (error instanceof PawlError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  // An error of several addresses has no message of its own.
  const because = error.message || code || error.name;
  const fail = (type: 'StoreBusy' | 'DiskFull' | 'Unavailable', message: string, hint: string): PawlError =>
    new PawlError(type, message, { hint, cause: error });

  if (BUSY.has(code) || because.includes('timeout exceeded when trying to connect')) {
    return fail(
      'StoreBusy',
      `Others hold ${place}: ${because}`,
      'Nothing was changed; try again. If it lasts, see pg_locks and pg_stat_activity for who holds the lock.',
    );
  }
  if (code === FULL) {
    return fail(
      'DiskFull',
      `No space left for ${place}`,
      'Nothing was changed. Free some space on the server; the work goes on by itself.',
    );
  }
  if (DAMAGED.has(code)) {
    return fail(
      'Unavailable',
      `${place}: ${because}. The database is damaged`,
      'Stop Pawl, and restore the database from a backup. Until then nothing is changed.',
    );
  }
  const mend = MENDED[code];
  if (mend !== undefined) return fail('Unavailable', `${place} cannot be used: ${because}`, mend);
  if (AWAY.test(code) || /^E[A-Z]+$/.test(code) || isOfConnection(because)) {
    return fail(
      'Unavailable',
      `${place} cannot be reached: ${because}`,
      'See that the server runs and answers. An order that was on its way is done or not done: its key tells when it comes again.',
    );
  }
  return error;
};

/** The driver's own errors have no code. */
const isOfConnection = (message: string): boolean =>
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|Cannot use a pool after calling end)|^The server does not support SSL|^Connection ended/.test(
    message,
  );
