/**
 * The variants that are kept ready.
 *
 * 1. Champion, gold and every arm stay loaded for as long as the traffic row names them; gold is thus there before a kill.
 * 2. A variant that could not be loaded is never served. Champion or gold answers instead, and somebody hears of it.
 * 3. No request waits for a variant to load while another one that may serve is ready.
 * 4. What is dropped gives back what it holds, after the requests that had taken it.
 */
import { PawlError } from '../contracts/failures.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import type { LoadedVariant, SearchEngine } from './search-engine.ts';

/** A variant that failed to load may have been mended; it is tried again after this time. */
const RETRY_MS = 5_000;

type Place =
  | { readonly state: 'loading'; readonly done: Promise<void> }
  | { readonly state: 'loaded'; readonly variant: LoadedVariant }
  | { readonly state: 'failed'; readonly error: unknown; readonly at: number };

export interface Taken {
  readonly id: string;
  readonly variant: LoadedVariant;
}

export interface Shelf {
  /** Loads what the row of the store names, and drops the rest. */
  keep(state: ServiceState): void;
  /** The wanted variant, or the one that stands in for it; null when none is ready. */
  take(wanted: string | null, state: ServiceState): Taken | null;
  /** This variant and no other; null where it is not ready. */
  ready(id: string): LoadedVariant | null;
  /** Waits for the first of them that is still loading; false at once when there is none to wait for. */
  loading(wanted: string | null, state: ServiceState): Promise<boolean>;
  /** Why none of them can serve. */
  unavailable(wanted: string | null, state: ServiceState): PawlError;
  loaded(): readonly string[];
  /** Drops everything; what is still loading is given back when it is loaded. */
  close(): Promise<void>;
}

export interface ShelfDeps {
  readonly service: string;
  readonly engine: Pick<SearchEngine, 'load'>;
  readonly now: () => number;
  readonly onFailed: (variant: string, error: unknown) => void;
  readonly onStuck: (error: unknown) => void;
}

export const createShelf = ({ service, engine, now, onFailed, onStuck }: ShelfDeps): Shelf => {
  const places = new Map<string, Place>();
  const releasing = new Set<Promise<void>>();

  const release = (variant: LoadedVariant): void => {
    const done = variant
      .release()
      .catch(onStuck)
      .finally(() => releasing.delete(done));
    releasing.add(done);
  };

  const load = (id: string): void => {
    const place: Place = { state: 'loading', done: engine.load(id).then(loaded, failed) };
    /** Unless it was dropped meanwhile, and perhaps asked for again. */
    const put = (next: Place): boolean => {
      if (places.get(id) !== place) return false;
      places.set(id, next);
      return true;
    };
    function loaded(variant: LoadedVariant): void {
      if (!put({ state: 'loaded', variant })) release(variant);
    }
    function failed(error: unknown): void {
      put({ state: 'failed', error, at: now() });
      onFailed(id, error);
    }
    places.set(id, place);
  };

  const drop = (id: string): void => {
    const place = places.get(id);
    places.delete(id);
    if (place?.state === 'loaded') release(place.variant);
  };

  const keep = (state: ServiceState): void => {
    const named = new Set([...state.arms.map(({ variant }) => variant), ...inReserve(state)]);
    for (const id of [...places.keys()]) if (!named.has(id)) drop(id);
    for (const id of named) {
      const place = places.get(id);
      if (!place || (place.state === 'failed' && now() - place.at >= RETRY_MS)) load(id);
    }
  };

  return {
    keep,
    take: (wanted, state) => {
      for (const id of orderOf(wanted, state)) {
        const place = places.get(id);
        if (place?.state === 'loaded') return { id, variant: place.variant };
      }
      return null;
    },
    ready: (id) => {
      const place = places.get(id);
      return place?.state === 'loaded' ? place.variant : null;
    },
    loading: async (wanted, state) => {
      for (const id of orderOf(wanted, state)) {
        const place = places.get(id);
        if (place?.state !== 'loading') continue;
        await place.done;
        return true;
      }
      return false;
    },
    unavailable: (wanted, state) => {
      const why = orderOf(wanted, state).map((id) => `${id.slice(0, 12)}: ${reasonOf(places.get(id))}`);
      return new PawlError('Unavailable', `No variant of ${service} can serve. ${why.join('; ')}`, {
        hint: 'Build or restore the variant that is named here; it is tried again every few seconds.',
      });
    },
    loaded: () => [...places].filter(([, { state }]) => state === 'loaded').map(([id]) => id),
    close: async () => {
      for (const id of [...places.keys()]) drop(id);
      await Promise.all(releasing);
    },
  };
};

const inReserve = ({ champion, gold }: ServiceState): readonly string[] => [champion, gold].filter((id) => id !== null);

const orderOf = (wanted: string | null, state: ServiceState): readonly string[] => [
  ...new Set([...(wanted === null ? [] : [wanted]), ...inReserve(state)]),
];

const reasonOf = (place: Place | undefined): string => {
  if (place?.state !== 'failed') return 'it is not loaded';
  return place.error instanceof Error ? place.error.message : String(place.error);
};
