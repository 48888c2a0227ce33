/** The readings that Pawl takes by itself. A service's owner may add others; a metric is therefore any string. */
export const METRICS = [
  'ndcg',
  'mrr',
  'recall',
  'latency',
  'errors',
  'cost',
  'latency-p50',
  'latency-p99',
  'ndcg-from-clicks',
] as const;
export type Metric = (typeof METRICS)[number] | (string & {});

/** For which of them more is better. */
export const HIGHER_IS_BETTER: ReadonlySet<string> = new Set([
  'ndcg',
  'mrr',
  'recall',
  'ndcg-from-clicks',
  'click-share',
]);

/**
 * One metric over a window. ndcg (at 10), mrr, recall (at 10), errors (share of requests): mean.
 * latency: 95th percentile in ms, latency-p50 and -p99 the others, to 1 %. cost: US dollars per 1,000 requests.
 * ndcg-from-clicks: at 5, of queries that nobody judged, by what users took (domain/clicked-ndcg.ts).
 * `low`–`high` is the 95 % interval.
 */
export interface Reading {
  readonly value: number;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

/** What was read of a service (or of one variant of it) over a window. A metric without data is absent, never 0. */
export interface Vitals {
  readonly service: string;
  readonly variant: string | null;
  /** ISO moments; `from` inclusive, `to` exclusive. */
  readonly from: string;
  readonly to: string;
  readonly readings: Readonly<Partial<Record<string, Reading>>>;
  /** What each reading was made of: metric → what was counted → how many. */
  readonly counts?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A rule over vitals. `drop`: against the champion's baseline, relative. `above`: an absolute limit. */
export interface Gate {
  readonly name: string;
  readonly metric: Metric;
  readonly rule: { readonly drop: number } | { readonly above: number } | { readonly below: number };
  /** Fewer samples than this are 'no data': neither a breach nor a pass. */
  readonly samples: number;
  readonly windowMs: number;
  /** The promise: an answer within this time of the first failing reading. */
  readonly withinMs: number;
}

export const GATE_STATES = ['breach', 'pass', 'no data'] as const;
export type GateState = (typeof GATE_STATES)[number];

/** What one gate found, with the figures that it found it by. */
export interface GateFinding {
  readonly gate: string;
  readonly metric: Metric;
  readonly state: GateState;
  readonly value: number | null;
  readonly limit: number | null;
  readonly baseline: number | null;
  readonly n: number;
  readonly because: string;
  readonly withinMs: number;
}
