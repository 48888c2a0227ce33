import { PawlError } from '../../contracts/failures.ts';

/** One line of `pawl doctor`. `mend` says what to do about it; there is none where all is well. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly mend: string | null;
}

export const ok = (name: string, found: string): Check => ({ name, state: 'ok', found, mend: null });
export const warning = (name: string, found: string, mend: string): Check => ({ name, state: 'warning', found, mend });
export const failed = (name: string, found: string, mend: string): Check => ({ name, state: 'failed', found, mend });

/** A check that throws has failed, and the error says what to do. */
export async function attempt(name: string, work: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await work();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return failed(name, found, (error instanceof PawlError && error.hint) || 'See the message; `pawl up` may help.');
  }
}
