/**
 * One service as the gateway serves it.
 *
 * 1. Every request reads the traffic row anew, so that a kill holds from the next request on.
 * 2. Where the row cannot be read, gold serves: it may serve in every state, and nothing else is known to be allowed.
 * 3. Every request that reached a variant is told to the log, whether it was answered or not.
 */
import type { ControlStore } from '../adapters/control/port.ts';
import type { ServedQuery } from '../adapters/query-log/port.ts';
import { PawlError } from '../contracts/failures.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import { assign } from './assignment.ts';
import type { GatewayLogger } from './logger.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Hit, SearchEngine } from './search-engine.ts';
import { createShelf, type Shelf } from './shelf.ts';

const LOGGED_HITS = 10;
const MS_PER_HOUR = 3_600_000;

export interface GatewayService {
  readonly service: string;
  readonly engine: SearchEngine;
  /** US dollars that an hour of CPU costs. */
  readonly cpuHour: number;
}

export interface Question {
  readonly query: string;
  readonly k: number;
  /** Decides which variant answers. */
  readonly subject: string;
  /** Who asks, where the request says so. */
  readonly person?: string;
  /** Since the request came in. */
  readonly elapsedMs: () => number;
}

export interface ServedAnswer {
  readonly variant: string;
  readonly latencyMs: number;
  readonly hits: readonly Hit[];
}

export interface ServedService extends GatewayService {
  readonly shelf: Pick<Shelf, 'loaded'>;
  state(): Promise<ServiceState>;
  /** Loads what the traffic row names, ahead of the requests. */
  prepare(): Promise<void>;
  ask(question: Question): Promise<ServedAnswer>;
}

export interface ServedServiceDeps {
  readonly control: Pick<ControlStore, 'state'>;
  readonly metrics: GatewayMetrics;
  readonly logger: GatewayLogger;
  readonly now: () => number;
  readonly subjectHash?: ((subject: string) => string) | undefined;
  readonly served: (row: ServedQuery) => void;
}

export const createServedService = (of: GatewayService, deps: ServedServiceDeps): ServedService => {
  const { service, engine, cpuHour } = of;
  const { control, metrics, logger, now, subjectHash, served } = deps;
  const shelf = createShelf({
    service,
    engine,
    now,
    onFailed: (variant, err) => logger.error({ service, variant, err }, 'a variant could not be loaded'),
  });
  let last: ServiceState | null = null;
  let readable = true;

  const state = async (): Promise<ServiceState> => {
    try {
      last = (await control.state(service)) ?? last;
      if (last) shelf.keep(last);
      readable = true;
    } catch (err) {
      if (readable) logger.error({ service, err }, 'the traffic row cannot be read; gold serves');
      readable = false;
      metrics.fallback(service, 'store');
    }
    if (last) return readable ? last : onGold(last);
    throw new PawlError('Unavailable', `${service} is not registered in the store, or the store cannot be read`, {
      hint: 'Register it with `pawl init`; `pawl doctor` checks the store.',
    });
  };

  const choose = async (subject: string) => {
    for (;;) {
      const row = await state();
      const wanted = assign(row, subject);
      const taken = shelf.take(wanted, row);
      if (taken) return { ...taken, wanted, row };
      // A kill may come while a variant is loading, so the row is read again afterwards.
      if (!(await shelf.loading(wanted, row))) throw shelf.unavailable(wanted, row);
    }
  };

  /** What is kept of who asks. A secret that cannot be read costs the log that much, and no request. */
  const kept = (person: string | undefined): Pick<ServedQuery, 'subject'> => {
    if (person === undefined || !subjectHash) return {};
    try {
      return { subject: subjectHash(person) };
    } catch (err) {
      logger.error({ service, err }, 'who asked cannot be hashed, so it is not kept');
      return {};
    }
  };

  const ask = async ({ query, k, subject, person, elapsedMs }: Question): Promise<ServedAnswer> => {
    const { id, variant, wanted, row } = await choose(subject);
    if (id !== wanted) metrics.fallback(service, 'variant');
    const tell = (ranked: readonly string[], cpuMs: number, error: string | null): number => {
      const latencyMs = elapsedMs();
      served({
        at: now(),
        service,
        variant: id,
        query,
        ranked,
        latencyMs,
        error,
        cost: (cpuMs / MS_PER_HOUR) * cpuHour,
        ...kept(person),
      });
      metrics.searched(row, id, latencyMs, error === null ? 'answered' : 'failed');
      return latencyMs;
    };
    try {
      const { hits, cpuMs } = await variant.search(query, Math.max(k, LOGGED_HITS));
      const ranked = hits.slice(0, LOGGED_HITS).map((hit) => hit.id);
      return { variant: id, latencyMs: tell(ranked, cpuMs, null), hits: hits.slice(0, k) };
    } catch (error) {
      tell([], 0, error instanceof PawlError ? error.type : 'Internal');
      throw error;
    }
  };

  const prepare = async (): Promise<void> => {
    try {
      await state();
    } catch (err) {
      logger.debug({ service, err }, 'nothing to prepare yet');
    }
  };

  return { ...of, shelf, state, prepare, ask };
};

const onGold = (state: ServiceState): ServiceState => {
  const variant = state.gold ?? state.champion;
  return variant === null ? state : { ...state, champion: variant, arms: [{ variant, share: 1 }] };
};
