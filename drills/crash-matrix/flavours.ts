/** What the services of the trials ask of their cycles. */
import type { ServiceConfig } from '../../contracts/config.ts';
import type { HomeSettings } from '../service-home.ts';

export const SETTINGS: HomeSettings = {
  gates: '{ ndcg: { metric: ndcg, drop: 3%, samples: 10, window: 1m } }',
  training: '{ trials: 4, time: 20s, seed: 7 }',
  watch: '{ for: 1s, samples: 10, maxDrop: 3% }',
  limits: '{ cyclesPerDay: 1000, cooldown: 0s, running: 10 }',
  promises: '{ diagnose: 10m, augment: 10m, evaluate: 10m }',
};

/** A wrong ranking is far below it, a right one far above; one look that fails is enough. */
const RANKS = 'metric: ndcg, window: 1m, samples: 10, success: "result.value > 0.4", failure: "result.value <= 0.4"';
const ANALYSES = `{ live: { measures: [{ name: ranks, every: 200ms, count: 2, ${RANKS} }], judge: { metrics: [{ metric: ndcg, worse: lower }], every: 200ms, count: 1, samples: 10 } }, later: { measures: [{ name: ranks, every: 200ms, count: 1, ${RANKS} }] } }`;
const GATEKEEPER =
  '[{ name: gatekeeper, at: step, activity: gatekeeper, taskQueue: pawl-data, timeout: 2s, decides: true }]';
const canary = (steps: string, more = '', background = 'null'): string =>
  `{ steps: [${steps}], analyses: ${ANALYSES}, background: ${background}, hold: 1h, floor: 10${more} }`;

const QUICK = '{ weight: 20% }, { analysis: live }';
const AB =
  '{ ramp: [10%, 50%], phase: 200ms, look: 1m, window: 1ms, before: 0s, minimum: 0s, maximum: 1h, wholeWeek: false, guardrails: {}, fewest: 20, planned: 1000 }';

export const FLAVOURS = {
  'asks nobody': {},
  asks: { approval: '{ required: true, expires: 1h }' },
  'promises too much': { promises: '{ evaluate: 50ms }' },
  canary: {
    canary: canary(
      '{ mirror: 10% }, { weight: 20% }, { baseline: true }, { analysis: live }, { pause: 200ms }, { weight: 50% }',
      `, rollbackWindow: 1, hooks: ${GATEKEEPER}`,
      '{ analysis: later, from: 4 }',
    ),
  },
  'canary that asks': {
    approval: '{ required: true, expires: 1h }',
    canary: canary(`${QUICK}, { approval: true }, { weight: 50% }`),
  },
  ab: { ab: AB, canary: canary(QUICK) },
  breach: {
    gates: '{ fast: { metric: ndcg, below: 0.9, samples: 10, window: 1m } }',
    canary: canary(QUICK),
    remediation:
      '{ remedies: { ndcg: [restart, previous, gold] }, settle: 400ms, look: 200ms, hooks: { restart: { url: "http://127.0.0.1:9/", secret: { env: NOT_SET }, timeout: 1s } } }',
  },
  watch: { canary: canary(QUICK, ', watch: { for: 1h, analysis: later }') },
} as const satisfies Readonly<Record<string, HomeSettings>>;
export type Flavour = keyof typeof FLAVOURS;

/** No service may look at its subjects so often; a trial has no minute. */
const LOOK_MS = 200;
export const impatient = (config: ServiceConfig): ServiceConfig =>
  config.ab === null ? config : { ...config, ab: { ...config.ab, look: LOOK_MS } };
