/**
 * Tells the query log what was served, off the path of the requests.
 *
 * 1. No request waits for the log or fails because of it.
 * 2. What the log cannot take now is offered again, up to a bound; what goes over it is dropped and counted.
 */
import type { QueryLog, ServedQuery } from '../adapters/query-log/port.ts';
import { failures, PawlError } from '../contracts/failures.ts';

const FLUSH_MS = 250;
const MOST_WAITING = 10_000;

export interface ServedLog {
  add(row: ServedQuery): void;
  flush(): Promise<void>;
  dropped(): number;
  /** Offers what is left a last time. */
  close(): Promise<void>;
}

export interface ServedLogDeps {
  readonly log: Pick<QueryLog, 'append'>;
  readonly onTrouble: (error: unknown) => void;
}

export const createServedLog = ({ log, onTrouble }: ServedLogDeps): ServedLog => {
  let waiting: ServedQuery[] = [];
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();
  let dropped = 0;

  const offer = async (): Promise<void> => {
    const rows = waiting;
    if (rows.length === 0) return;
    waiting = [];
    try {
      await log.append(rows);
    } catch (error) {
      onTrouble(error);
      if (mayPass(error)) waiting = [...rows, ...waiting];
      else dropped += rows.length;
      trim();
      flushSoon();
    }
  };
  const flushSoon = (): void => {
    timer ??= setTimeout(flush, FLUSH_MS).unref();
  };

  const trim = (): void => {
    const over = Math.max(0, waiting.length - MOST_WAITING);
    if (over > 0) waiting = waiting.slice(over);
    dropped += over;
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    flushing = flushing.then(offer);
    return flushing;
  };

  return {
    flush,
    dropped: () => dropped,
    add: (row) => {
      waiting.push(row);
      trim();
      flushSoon();
    },
    close: async () => {
      await flush();
      dropped += waiting.length;
      waiting = [];
      clearTimeout(timer);
    },
  };
};

const mayPass = (error: unknown): boolean => !(error instanceof PawlError) || failures[error.type].retryable;
