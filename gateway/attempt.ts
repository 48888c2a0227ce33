/** One variant, asked once: what it found and how long that took, or why there is nothing. */
import { PawlError } from '../contracts/failures.ts';
import type { Found } from './search-engine.ts';

export interface Attempt<F extends Found = Found> {
  readonly variant: string;
  /** When it ended. */
  readonly at: number;
  readonly latencyMs: number;
  /** null: it failed. */
  readonly found: F | null;
  readonly error: unknown;
}

/** Where nobody depends on this one answer, it is not waited for any longer. */
const PATIENCE_MS = 5_000;

export interface AttemptDeps {
  readonly now: () => number;
  readonly patienceMs?: number | undefined;
}

/** Never rejects. */
export const attempt = async <F extends Found>(
  variant: string,
  search: () => Promise<F>,
  { now, patienceMs = PATIENCE_MS }: AttemptDeps,
): Promise<Attempt<F>> => {
  const began = performance.now();
  const ended = () => ({ variant, at: now(), latencyMs: performance.now() - began });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooLate(variant, patienceMs)), patienceMs);
  try {
    const found = await Promise.race([search(), late]);
    return { ...ended(), found, error: null };
  } catch (error) {
    return { ...ended(), found: null, error };
  } finally {
    clearTimeout(timer);
  }
};

/** As the log keeps it. */
export const failureOf = (error: unknown): string => (error instanceof PawlError ? error.type : 'Internal');

const tooLate = (variant: string, ms: number): PawlError =>
  new PawlError('Unavailable', `Variant ${variant} did not answer within ${ms} ms`, {
    hint: 'It is too slow for what it is asked; its latency stands in the vitals of what was mirrored.',
  });
