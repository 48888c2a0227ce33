/** An error in a form that survives the way between threads and processes: a class does not. */
import { type FailureType, failures, PawlError } from './failures.ts';

export interface ThrownError {
  readonly type: FailureType;
  readonly message: string;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export function thrown(error: unknown): ThrownError {
  const { type, message, hint, stack } = (error instanceof Error ? error : new Error(String(error))) as PawlError;
  return { type: type in failures ? type : 'Internal', message, hint, stack };
}

export function revived({ type, message, hint, stack }: ThrownError): PawlError {
  const error = new PawlError(type, message, hint === undefined ? {} : { hint });
  if (stack !== undefined) error.stack = stack;
  return error;
}
