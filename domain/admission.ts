import type { CyclePlan } from '../contracts/plan.ts';
import type { ServiceState } from '../contracts/traffic.ts';

export interface AdmissionFacts {
  readonly state: ServiceState | null;
  readonly paused: boolean;
  readonly plan: CyclePlan;
  readonly running: number;
  readonly admittedToday: number;
  /** The budgets of the day are the policy's: it is asked when no rule here objects. */
  readonly budgetsByPolicy: boolean;
  readonly cooldownUntil: number | null;
  readonly now: number;
  /** A person who asks is not held up by the cool-down, which is there to calm automatic triggers. */
  readonly byHand: boolean;
}

/** Why no cycle may start now, or null. The first rule that objects is the answer. */
export const objection = (facts: AdmissionFacts): string | null =>
  RULES.map((rule) => rule(facts)).find((because) => because !== null) ?? null;

const RULES: ReadonlyArray<(facts: AdmissionFacts) => string | null> = [
  ({ state }) => (state ? null : 'the service is not known here: run `pawl init` first'),
  ({ state }) =>
    state?.latch === 'killed' ? `the service is killed (${state.because}): rearm it with \`pawl rearm\`` : null,
  ({ state }) => (state?.gold ? null : 'the service has no gold variant: set one with `pawl gold set`'),
  ({ state }) => (state?.latch === 'armed' ? null : 'the service is not armed: arm it with `pawl rearm`'),
  ({ state }) => (state?.champion ? null : 'the service has no champion'),
  ({ paused }) => (paused ? 'the service is paused: resume it with `pawl resume`' : null),
  ({ running, plan }) =>
    running < plan.limits.running
      ? null
      : `${running} cycles run already, and limits.running is ${plan.limits.running}`,
  ({ budgetsByPolicy, admittedToday, plan }) =>
    budgetsByPolicy || admittedToday < plan.limits.cyclesPerDay
      ? null
      : `${admittedToday} cycles were admitted today, and limits.cyclesPerDay is ${plan.limits.cyclesPerDay}`,
  ({ cooldownUntil, now, byHand }) =>
    byHand || cooldownUntil === null || cooldownUntil <= now
      ? null
      : `cooling down for another ${Math.ceil((cooldownUntil - now) / 1_000)} s (limits.cooldown)`,
];
