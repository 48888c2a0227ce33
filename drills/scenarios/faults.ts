/** What makes a variant bad while it serves. It is told through a file, so that a trial says when it begins. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';

export type Fault =
  /** Every answer takes so much longer. */
  | { readonly does: 'slow'; readonly ms: number }
  /** This share of the questions fails. */
  | { readonly does: 'fail'; readonly share: number }
  /** The best of what was found is left out. */
  | { readonly does: 'mislead' }
  /** Each answer is kept for ever, and looked through for the next one. */
  | { readonly does: 'leak'; readonly bytes: number; readonly most: number };

export type Faults = Readonly<Record<string, Fault>>;

export const strike = (file: string, faults: Faults): void => writeFileSync(file, JSON.stringify(faults));

const LOOK_EVERY_MS = 50;

/** The faults as they stand in the file now; none while there is no file. */
export const faultsIn = (file: string): (() => Faults) => {
  let known: { readonly at: number; readonly mtimeMs: number; readonly faults: Faults } | null = null;
  return () => {
    const now = performance.now();
    if (known && now - known.at < LOOK_EVERY_MS) return known.faults;
    const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const faults =
      known?.mtimeMs === mtimeMs ? known.faults : mtimeMs === 0 ? {} : (parsed(file) ?? known?.faults ?? {});
    known = { at: now, mtimeMs, faults };
    return faults;
  };
};

/** null: it is just being written. */
const parsed = (file: string): Faults | null => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Faults;
  } catch {
    return null;
  }
};
