/**
 * An engine whose variants are worse as the trial says. Searching a few documents takes a millisecond or two, in which a fifth
 * more could not be measured: so every answer takes as long as one that a model has a part in, some longer than others. What the
 * gateway itself and a busy machine add is small beside it, so that a fifth more of the one is a fifth more of the whole.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PawlError } from '../../contracts/failures.ts';
import type { LoadedVariant, SearchEngine } from '../../gateway/search-engine.ts';

export interface Degradation {
  /** As slow as it would be. */
  readonly times?: number;
  /** This share of the questions fails. */
  readonly failing?: number;
  /** For this share of the questions nothing is found. */
  readonly unfound?: number;
}

const MEDIAN_MS = 150;
const SPREAD = 0.35;

export const degradedEngine =
  (told: () => Readonly<Record<string, Degradation>>) =>
  (engine: SearchEngine): SearchEngine => ({
    ...engine,
    load: async (variant) => degraded(variant, await engine.load(variant), told),
  });

const degraded = (
  name: string,
  variant: LoadedVariant,
  told: () => Readonly<Record<string, Degradation>>,
): LoadedVariant => ({
  ...variant,
  search: async (question) => {
    const { times = 1, failing = 0, unfound = 0 } = told()[name] ?? {};
    await pause(times * MEDIAN_MS * Math.exp(SPREAD * gaussian()));
    if (Math.random() < failing) throw new PawlError('Internal', 'A fault of the trial');
    const found = await variant.search(question);
    return Math.random() < unfound ? { ...found, hits: [] } : found;
  },
});

const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
