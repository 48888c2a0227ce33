import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const CODE = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

const codeOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;

/** Whether a failure of `storeFailure`'s says that the file is no database, or not any more. */
export const isDamaged = (error: unknown): boolean =>
  [CODE.corrupt, CODE.notADatabase].some((code) => code === codeOf((error as { cause?: unknown } | null)?.cause));

export const isBusy = (error: unknown): boolean => [CODE.busy, CODE.locked].some((code) => code === codeOf(error));

/** What an error of SQLite or of the file system means to the caller. */
export const storeFailure = (path: string, error: unknown): unknown => {
  if (error instanceof PawlError || !(error instanceof Error)) return error;
  const because = `${path}: ${error.message}`;
  const code = codeOf(error);
  const system = 'code' in error ? error.code : undefined;

  if (isBusy(error)) {
    return new PawlError('StoreBusy', `Another process holds ${path}`, {
      hint: 'Nothing was changed; try again. If it lasts, find the process that keeps the file open (`fuser`, `lsof`).',
      cause: error,
    });
  }
  if (code === CODE.full || system === 'ENOSPC' || system === 'EDQUOT' || (code === CODE.io && isFull(path))) {
    return new PawlError('DiskFull', `No space left for ${path}`, {
      hint: 'Nothing was changed. Free some space; the work goes on by itself.',
      cause: error,
    });
  }
  if (code === CODE.corrupt || code === CODE.notADatabase) {
    return new PawlError('Unavailable', `${because}. The file is damaged, or is no database of Pawl`, {
      hint: 'Stop Pawl, keep a copy of the file, and restore it from a backup. Until then nothing is changed.',
      cause: error,
    });
  }
  const closed = system === 'ERR_INVALID_STATE';
  if (
    code === CODE.readonly ||
    code === CODE.io ||
    code === CODE.cannotOpen ||
    closed ||
    /^E[A-Z]+$/.test(`${system}`)
  ) {
    return new PawlError('Unavailable', `The store cannot be used: ${because}`, {
      hint: 'Check that the folder exists, belongs to the user who runs Pawl, and that its disk is healthy.',
      cause: error,
    });
  }
  return error;
};

const isFull = (path: string): boolean => {
  try {
    return statfsSync(dirname(path)).bavail === 0;
  } catch {
    return false; // A disk that is gone is not full.
  }
};
