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

export type Faults = Told<Fault>;

/** What is said of each variant: faults, or whatever else a trial does to them. */
type Told<F> = Readonly<Record<string, F>>;

export const strike = <F = Fault>(file: string, faults: Told<F>): void => writeFileSync(file, JSON.stringify(faults));

const LOOK_EVERY_MS = 50;

/** The faults as they stand in the file now; none while there is no file. */
export const faultsIn = <F = Fault>(file: string): (() => Told<F>) => {
  let known: { readonly at: number; readonly mtimeMs: number; readonly faults: Told<F> } | null = null;
  return () => {
    const now = performance.now();
    if (known && now - known.at < LOOK_EVERY_MS) return known.faults;
    const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const faults =
      known?.mtimeMs === mtimeMs ? known.faults : mtimeMs === 0 ? {} : (parsed<F>(file) ?? known?.faults ?? {});
    known = { at: now, mtimeMs, faults };
    return faults;
  };
};

/** null: it is just being written. */
const parsed = <F>(file: string): Told<F> | null => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Told<F>;
  } catch {
    return null;
  }
};
