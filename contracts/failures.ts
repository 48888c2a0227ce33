/**
 * The catalogue of failures: what an error's `type` means for a retry, a shell and an HTTP client.
 * docs/guide/failures.md shows the same table; a test compares the two.
 */
export interface FailureKind {
  readonly retryable: boolean;
  readonly exitCode: number;
  readonly httpStatus: number;
  readonly meaning: string;
}

export const failures = {
  Internal: {
    retryable: true,
    exitCode: 1,
    httpStatus: 500,
    meaning: 'A defect in Pawl, or something nobody foresaw.',
  },
  Usage: { retryable: false, exitCode: 2, httpStatus: 400, meaning: 'The command or request itself is malformed.' },
  ConfigInvalid: {
    retryable: false,
    exitCode: 3,
    httpStatus: 422,
    meaning: 'pawl.yaml or another input file does not hold what it must.',
  },
  NotFound: { retryable: false, exitCode: 4, httpStatus: 404, meaning: 'No such service, cycle, variant or artifact.' },
  Refused: {
    retryable: false,
    exitCode: 5,
    httpStatus: 409,
    meaning: 'A rule says no: the latch, a limit, a stale token, no gold.',
  },
  NotAllowed: {
    retryable: false,
    exitCode: 6,
    httpStatus: 403,
    meaning: 'The signature or the right to do this is missing, expired or used up.',
  },
  DigestMismatch: {
    retryable: false,
    exitCode: 7,
    httpStatus: 409,
    meaning: 'An artifact, or the ledger, does not hold the bytes that its digest promises.',
  },
  Unavailable: {
    retryable: true,
    exitCode: 8,
    httpStatus: 503,
    meaning: 'Temporal, the store or the gateway cannot be reached now.',
  },
  StoreBusy: {
    retryable: true,
    exitCode: 9,
    httpStatus: 503,
    meaning: 'Another process holds the store for longer than the time-out.',
  },
  DiskFull: {
    retryable: true,
    exitCode: 10,
    httpStatus: 507,
    meaning: 'No space left for state; nothing was written.',
  },
  NoData: { retryable: false, exitCode: 11, httpStatus: 409, meaning: 'Too little data to decide anything.' },
  SetupFailed: {
    retryable: false,
    exitCode: 12,
    httpStatus: 500,
    meaning: 'Something that Pawl needs could not be installed or started.',
  },
  Unhealthy: {
    retryable: false,
    exitCode: 13,
    httpStatus: 503,
    meaning: 'A check of `pawl doctor`, a rule of `pawl check`, a replay, or a step of the story, failed.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureType = keyof typeof failures;

/** An error that says what it is. `hint` tells the reader what to do next. */
export class PawlError extends Error {
  readonly type: FailureType;
  readonly hint: string | undefined;
  constructor(type: FailureType, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PawlError';
    this.type = type;
    this.hint = options.hint;
  }
}

/** The error types that no retry of an activity can mend. */
export const NON_RETRYABLE: readonly string[] = Object.entries(failures)
  .filter(([, kind]) => !kind.retryable)
  .map(([type]) => type);
