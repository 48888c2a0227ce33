/** What each environment does unless pawl.yaml says otherwise. One code, three sets of values. */
import type { Settings } from '../contracts/config.ts';
import type { Environment } from '../contracts/plan.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The promises to the people who run a service, in every environment. */
const gates: Settings['gates'] = {
  ndcg: { metric: 'ndcg', drop: 0.03, samples: 30, window: DAY, within: HOUR },
  latency: { metric: 'latency', above: 800, samples: 30, window: 15 * MINUTE, within: 5 * MINUTE },
  errors: { metric: 'errors', above: 0.1, samples: 30, window: 15 * MINUTE, within: 3 * MINUTE },
};
const promises: Settings['promises'] = { diagnose: 15 * MINUTE, augment: 30 * MINUTE, evaluate: HOUR };

const withoutTrials: Pick<Settings, 'ab' | 'canary' | 'remediation' | 'router'> = {
  ab: null,
  canary: null,
  router: null,
  remediation: {
    remedies: { latency: ['restart', 'scale', 'cheaper', 'previous', 'gold'], errors: ['restart', 'previous', 'gold'] },
    settle: MINUTE,
    look: 10 * SECOND,
    hooks: {},
    perHour: 3,
  },
};
const steppedCanary: Settings['canary'] = {
  steps: [
    { weight: 0.05 },
    { analysis: 'standard' },
    { weight: 0.25 },
    { analysis: 'standard' },
    { weight: 0.5 },
    { analysis: 'standard' },
  ],
  analyses: {},
  background: { analysis: 'guard', from: 0 },
  hold: DAY,
  floor: 300,
  mustNotice: { latency: 0.5, errors: 0.05, ndcg: 0.1 },
  rollbackWindow: 3,
  hooks: [],
  watch: { for: DAY, analysis: 'guard' },
};

export const profiles: Readonly<Record<Environment, Settings>> = {
  /** The loop is off: nothing is scheduled, and a cycle started by hand only looks. */
  dev: {
    mode: 'observe',
    approval: { required: false, expires: DAY, quorum: 1 },
    notify: [],
    gates,
    training: { trials: 40, time: MINUTE, seed: 7 },
    deploy: { share: 0.5 },
    watch: { for: 5 * MINUTE, samples: 30, maxDrop: 0.05 },
    limits: { cyclesPerDay: 1_000, cooldown: 0, running: 3 },
    promises,
    ...withoutTrials,
    stages: {},
    schedules: [],
  },
  /** Everything, but a person approves each promotion. */
  staging: {
    mode: 'act',
    approval: { required: true, expires: DAY, quorum: 1, remind: 4 * HOUR },
    notify: [],
    gates,
    training: { trials: 200, time: 10 * MINUTE, seed: 7 },
    deploy: { share: 0.5 },
    watch: { for: 15 * MINUTE, samples: 100, maxDrop: 0.03 },
    limits: { cyclesPerDay: 24, cooldown: 10 * MINUTE, running: 2 },
    promises,
    ...withoutTrials,
    stages: {},
    schedules: [],
  },
  /**
   * Rolls back by itself; a challenger gets a small share and a long look. Until a variant can carry signed evidence of its
   * staging, a person approves what enters production; a team may switch that off in pawl.yaml. One approval is enough, and
   * never that of who asked for the cycle: a second one would lock out whoever runs a service alone, who would then switch
   * the asking off. A team of three and more should say `quorum: 2`.
   */
  production: {
    mode: 'act',
    approval: { required: true, expires: DAY, quorum: 1, remind: 4 * HOUR },
    notify: [],
    gates,
    training: { trials: 200, time: 10 * MINUTE, seed: 7 },
    deploy: { share: 0.1 },
    watch: { for: HOUR, samples: 300, maxDrop: 0.03 },
    limits: { cyclesPerDay: 12, cooldown: HOUR, running: 2 },
    promises,
    ...withoutTrials,
    canary: steppedCanary,
    stages: {},
    schedules: [
      { name: 'regular', every: 12 * HOUR, paused: false, reason: 'regular look at the gates' },
      { name: 'fast', every: 30 * SECOND, starts: 'fix', paused: false, reason: 'quick look at the fast gates' },
    ],
  },
};

/** What may be left out of a layer; a key that is there counts. */
type Layer = { readonly [K in keyof Settings]?: Settings[K] | undefined };

/** The later layer wins: gates, promises and stages name by name, all else as a whole. */
export function settingsOf(environment: Environment, ...layers: readonly Layer[]): Settings {
  return layers.reduce<Settings>(
    (settings, layer) => ({
      mode: layer.mode ?? settings.mode,
      approval: layer.approval ?? settings.approval,
      notify: layer.notify ?? settings.notify,
      gates: { ...settings.gates, ...layer.gates },
      training: layer.training ?? settings.training,
      deploy: layer.deploy ?? settings.deploy,
      watch: layer.watch ?? settings.watch,
      ab: layer.ab === undefined ? settings.ab : layer.ab,
      canary: layer.canary === undefined ? settings.canary : layer.canary,
      remediation: layer.remediation ?? settings.remediation,
      router: layer.router === undefined ? settings.router : layer.router,
      limits: layer.limits ?? settings.limits,
      promises: { ...settings.promises, ...layer.promises },
      stages: { ...settings.stages, ...layer.stages },
      schedules: layer.schedules ?? settings.schedules,
    }),
    profiles[environment],
  );
}
