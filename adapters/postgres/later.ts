import { PawlError } from '../../contracts/failures.ts';
import { postgresAddress } from './address.ts';

export interface Later<S> {
  ask<T>(work: (store: S) => T | Promise<T>): Promise<T>;
  close(): void;
}

/**
 * A store that is opened when it is first asked. What talks to PostgreSQL is loaded only then: a command on a home with stores
 * of its own would otherwise wait for that.
 */
export const later = <S extends { close(): void }>(address: string, load: () => Promise<S>): Later<S> => {
  const { place } = postgresAddress(address);
  let loading: Promise<S> | null = null;
  let closed = false;
  return {
    ask: async (work) => {
      if (closed) throw new PawlError('Unavailable', `The store ${place} is closed`);
      loading ??= load();
      return work(await loading);
    },
    close: () => {
      closed = true;
      void loading?.then((store) => store.close());
    },
  };
};
