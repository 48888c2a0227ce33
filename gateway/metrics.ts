/**
 * What Prometheus reads. Labels are bounded: a variant appears by its role, never by its id, and a path by its route.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheCounts } from '../adapters/answer-cache/port.ts';
import { LATCHES, type ServiceState } from '../contracts/traffic.ts';

const ROLES = ['champion', 'gold', 'challenger'] as const;
type Role = (typeof ROLES)[number];

export const roleOf = ({ champion, gold }: ServiceState, variant: string): Role => {
  if (variant === champion) return 'champion';
  return variant === gold ? 'gold' : 'challenger';
};

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface GatewayMetrics {
  answered(route: string, status: number, seconds: number): void;
  searched(state: ServiceState, variant: string, latencyMs: number, outcome: 'answered' | 'failed'): void;
  /** Something else than what the traffic row names had to answer. */
  fallback(service: string, because: 'store' | 'variant'): void;
  /** What became of asking a variant too, without anybody seeing it. */
  mirrored(service: string, outcome: 'answered' | 'failed' | 'dropped' | 'not loaded'): void;
  text(states: readonly ServiceState[], rowsDropped: number): Promise<string>;
  readonly contentType: string;
}

/** `cached`: what became of lookups in the answer cache so far. */
export const createMetrics = (cached: () => CacheCounts): GatewayMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const labelled = <L extends string>(name: string, help: string, ...labelNames: L[]) => ({
    name,
    help,
    labelNames,
    registers,
  });

  const requests = new Counter(labelled('pawl_gateway_requests_total', 'Requests answered', 'route', 'status'));
  const errors = new Counter(labelled('pawl_gateway_errors_total', 'Requests answered with a 5xx', 'route'));
  const seconds = new Histogram({
    ...labelled('pawl_gateway_request_seconds', 'Time to answer', 'route'),
    buckets: SECONDS,
  });
  const searches = new Counter(
    labelled('pawl_search_requests_total', 'Searches that reached a variant', 'service', 'role', 'outcome'),
  );
  const searchSeconds = new Histogram({
    ...labelled('pawl_search_seconds', 'Time to answer a search', 'service', 'role'),
    buckets: SECONDS,
  });
  const fallbacks = new Counter(
    labelled('pawl_gateway_fallbacks_total', 'Requests that another variant had to answer', 'service', 'because'),
  );
  const mirrored = new Counter(
    labelled('pawl_mirrored_total', 'Questions that a variant was to be asked too, unseen', 'service', 'outcome'),
  );
  const share = new Gauge(labelled('pawl_traffic_share', 'Share of the traffic', 'service', 'role'));
  const epoch = new Gauge(labelled('pawl_kill_epoch', 'How often the service was killed', 'service'));
  const latch = new Gauge(labelled('pawl_latch', '1 for the position of the latch', 'service', 'latch'));
  const lookups = new Counter(labelled('pawl_answer_cache_lookups_total', 'Lookups in the answer cache', 'outcome'));
  const dropped = new Gauge(labelled('pawl_query_log_rows_dropped', 'Served queries that the log never got'));

  const describe = (state: ServiceState): void => {
    const { service } = state;
    epoch.set({ service }, state.epoch);
    for (const position of LATCHES) latch.set({ service, latch: position }, state.latch === position ? 1 : 0);
    for (const role of ROLES) {
      const arms = state.arms.filter(({ variant }) => roleOf(state, variant) === role);
      share.set(
        { service, role },
        arms.reduce((sum, arm) => sum + arm.share, 0),
      );
    }
  };

  return {
    contentType: registry.contentType,
    answered: (route, status, took) => {
      requests.inc({ route, status: String(status) });
      seconds.observe({ route }, took);
      if (status >= 500) errors.inc({ route });
    },
    searched: (state, variant, latencyMs, outcome) => {
      const labels = { service: state.service, role: roleOf(state, variant) };
      searches.inc({ ...labels, outcome });
      searchSeconds.observe(labels, latencyMs / 1_000);
    },
    fallback: (service, because) => fallbacks.inc({ service, because }),
    mirrored: (service, outcome) => mirrored.inc({ service, outcome }),
    text: (states, rowsDropped) => {
      for (const state of states) describe(state);
      dropped.set(rowsDropped);
      const { hits, misses, troubles } = cached();
      lookups.reset();
      for (const [outcome, count] of Object.entries({ hit: hits, miss: misses, trouble: troubles })) {
        lookups.inc({ outcome }, count);
      }
      return registry.metrics();
    },
  };
};
