import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { withLock } from '../../infra/setup/lock.mjs';

/** One at a time of those that copy a home or remove from it: a backup must find what it has seen named. */
export const keeping = <T>(state: string, what: string, work: () => Promise<T>): Promise<T> =>
  withLock(join(state, 'keeping.lock'), work, ({ pid }) => {
    throw new PawlError('Refused', `Process ${pid} is clearing out, copying or erasing in ${state} now.`, {
      hint: `Let it end, then ${what} again.`,
    });
  });
