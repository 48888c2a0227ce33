/**
 * Which remedies, in which order. A remedy that the service has not is passed over, and says why.
 *
 * 1. What helped against the same symptom last time comes first, what did not help comes last; the plan orders the rest.
 * 2. What is not known of a variant (its cost, its quality) is never taken for good.
 * 3. The automatic actor does not go back past a person's decision: it asks.
 */
import {
  type FixCourse,
  type FixFacts,
  type FixOutcome,
  type FixPromise,
  type FixRequest,
  type FixSettings,
  type PastFix,
  REMEDIES,
  type RemediationPlan,
  type Remedy,
  type WayBack,
} from '../contracts/remediation.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import { type GateFinding, HIGHER_IS_BETTER } from '../contracts/vitals.ts';

export const HOUR_MS = 3_600_000;
/** Less than this is not worth another champion. */
const CHEAPER_BY = 0.1;
/** So much quality may be given for it. */
const QUALITY_MAY_DROP = 0.03;
/** What is no variant's fault alone may be answered by any remedy; worse answers come from what serves. */
const FOR_QUALITY: readonly Remedy[] = ['previous', 'gold'];

/** Where the configuration cannot be read, and a way back is asked for all the same. */
export const DEFAULT_PLAN: RemediationPlan = {
  remedies: {},
  settleMs: 60_000,
  lookMs: 10_000,
  hooks: {},
  perHour: 3,
};

/** How a try went. What was done, and has not been seen to help yet, is 'done'. */
export const HELPED = 'helped';
export const HELPED_NOT = 'did not help';

export const byPerson = ({ requestedBy }: Pick<FixRequest, 'requestedBy'>): boolean => requestedBy.kind === 'person';

export interface FixAdmissionFacts {
  readonly state: ServiceState | null;
  readonly paused: boolean;
  readonly holder: string | null;
  /** The fix that runs. */
  readonly fixing: string | null;
  /** When fixes were admitted, in ms. */
  readonly admitted: readonly number[];
  readonly now: number;
  readonly request: Pick<FixRequest, 'requestedBy' | 'champion'>;
  readonly settings: Pick<FixSettings, 'mode'> & { readonly plan: Pick<RemediationPlan, 'perHour'> };
}
export interface FixObjection {
  readonly because: string;
  /** Asking again later is worth it. */
  readonly wait: boolean;
  /** A person is asked instead. */
  readonly ask?: true;
}

/** Why no fix may start now; the first rule that objects is the answer. */
export const whyNotFix = (facts: FixAdmissionFacts): FixObjection | null => {
  for (const rule of ADMISSION) {
    const objection = rule(facts);
    if (objection) return objection;
  }
  return null;
};

const never = (because: string): FixObjection => ({ because, wait: false });
const later = (because: string): FixObjection => ({ because, wait: true });

const ADMISSION: ReadonlyArray<(facts: FixAdmissionFacts) => FixObjection | null> = [
  ({ state }) => (state ? null : never('the service is not known here: run `pawl init` first')),
  ({ state }) =>
    state?.latch === 'killed' ? never(`the service is killed (${state.because}), and gold serves already`) : null,
  ({ state }) => (state?.latch === 'armed' ? null : never('the service is not armed: arm it with `pawl rearm`')),
  ({ state }) => (state?.champion ? null : never('the service has no champion')),
  ({ state, request }) =>
    request.champion === undefined || request.champion === state?.champion
      ? null
      : never(
          `the champion has changed: ${short(state?.champion ?? '')} serves, and it was about ${short(request.champion)}`,
        ),
  ({ paused }) => (paused ? later('the service is paused: resume it with `pawl resume`') : null),
  ({ request, settings }) =>
    byPerson(request) || settings.mode === 'act'
      ? null
      : never(`traffic moves by itself in mode act only, and the mode is ${settings.mode}`),
  ({ fixing }) => (fixing ? later(`${fixing} is at it`) : null),
  ({ holder }) => (holder ? later(`${holder} holds the traffic lane, and looks after what it tries by itself`) : null),
  ({ request, admitted, now, settings }) => {
    const lately = admitted.filter((at) => at > now - HOUR_MS).length;
    if (byPerson(request) || lately < settings.plan.perHour) return null;
    return {
      ...never(`${lately} fixes in the last hour, and remediation.perHour is ${settings.plan.perHour}`),
      ask: true,
    };
  },
];

export const breachesOf = (findings: readonly GateFinding[]): readonly GateFinding[] =>
  findings.filter(({ state }) => state === 'breach');

/** What is wrong, by metric, in the order in which it was found. */
export const symptomsOf = (findings: readonly GateFinding[]): readonly string[] => [
  ...new Set(breachesOf(findings).map(({ metric }) => metric)),
];

export const courseOf = (
  request: Pick<FixRequest, 'requestedBy' | 'only'>,
  symptoms: readonly string[],
  plan: Pick<RemediationPlan, 'remedies' | 'hooks'>,
  facts: FixFacts,
): FixCourse => {
  const wanted = request.only ? [request.only] : byExperience(wantedFor(symptoms, plan), symptoms, facts.past);
  const steps: Array<FixCourse['steps'][number]> = [];
  const passedOver: Array<FixCourse['passedOver'][number]> = [];
  let ask: string | null = null;
  for (const remedy of wanted) {
    const target = TARGETS[remedy](facts, plan);
    if ('because' in target) passedOver.push({ remedy, because: target.because });
    else if (target.variant !== null && steps.some(({ variant }) => variant === target.variant))
      passedOver.push({ remedy, because: 'that is what an earlier remedy goes back to' });
    else if (target.variant !== null && facts.decided !== null && !byPerson(request)) {
      ask = facts.decided;
      passedOver.push({ remedy, because: `${facts.decided}: a person has to decide` });
    } else steps.push({ remedy, variant: target.variant });
  }
  return { steps, passedOver, ask };
};

/** For several symptoms what the first asks for, then what the others ask for beyond it. */
const wantedFor = (symptoms: readonly string[], { remedies }: Pick<RemediationPlan, 'remedies'>): readonly Remedy[] => [
  ...new Set(symptoms.flatMap((symptom) => remedies[symptom] ?? usual(symptom))),
];
const usual = (symptom: string): readonly Remedy[] => (HIGHER_IS_BETTER.has(symptom) ? FOR_QUALITY : REMEDIES);

/** Stable, so that the plan's order stays among those of which the same is known. */
export const byExperience = (
  remedies: readonly Remedy[],
  symptoms: readonly string[],
  past: readonly PastFix[],
): readonly Remedy[] => {
  const alike = past.filter((fix) => fix.symptoms.some((symptom) => symptoms.includes(symptom)));
  const rank = (remedy: Remedy): number => {
    const tries = alike.flatMap(({ tried }) => tried.filter((one) => one.remedy === remedy));
    const last = tries.findLast(({ result }) => result === HELPED || result === HELPED_NOT)?.result;
    return last === HELPED ? 0 : last === HELPED_NOT ? 2 : 1;
  };
  return [...remedies].sort((a, b) => rank(a) - rank(b));
};

type Target = { readonly variant: string | null } | { readonly because: string };
type TargetOf = (facts: FixFacts, plan: Pick<RemediationPlan, 'hooks'>) => Target;

const byHook =
  (remedy: 'restart' | 'scale'): TargetOf =>
  (_, { hooks }) =>
    hooks[remedy] ? { variant: null } : { because: `remediation.hooks.${remedy} is not set` };

const TARGETS: Readonly<Record<Remedy, TargetOf>> = {
  restart: byHook('restart'),
  scale: byHook('scale'),
  cheaper: ({ champion, back }) => {
    const [first] = back.filter((one) => isCheaper(one, champion)).sort((a, b) => (a.cost ?? 0) - (b.cost ?? 0));
    return first ? { variant: first.variant } : { because: 'no former champion is known to be cheaper and as good' };
  },
  previous: ({ back: [first] }) => (first ? { variant: first.variant } : { because: 'there is no champion before it' }),
  gold: ({ champion, gold }) => {
    if (gold === null) return { because: 'the service has no gold' };
    return gold === champion?.variant ? { because: 'gold is the champion' } : { variant: gold };
  },
};

const isCheaper = (one: WayBack, champion: WayBack | null): boolean =>
  one.cost !== null &&
  one.quality !== null &&
  champion?.cost != null &&
  champion.quality !== null &&
  one.cost <= champion.cost * (1 - CHEAPER_BY) &&
  one.quality >= champion.quality * (1 - QUALITY_MAY_DROP);

/** Whether the breach is over: every gate that was breached passes, and none is breached anew. */
export const breachOver = (
  breached: readonly GateFinding[],
  seen: readonly GateFinding[],
): 'over' | 'breach' | 'no data' => {
  if (seen.some(({ state }) => state === 'breach')) return 'breach';
  const passes = (gate: string): boolean => seen.some((one) => one.gate === gate && one.state === 'pass');
  return breached.every(({ gate }) => passes(gate)) ? 'over' : 'no data';
};

/** An answer in time: from the first failing reading to the end of the breach. What did not end it kept nothing. */
export const promisesOf = (
  findings: readonly GateFinding[],
  { sinceMs, nowMs, outcome }: { readonly sinceMs: number; readonly nowMs: number; readonly outcome: FixOutcome },
): readonly FixPromise[] =>
  findings
    .filter(({ state }) => state === 'breach')
    .map(({ gate, withinMs }) => {
      const tookMs = Math.max(0, nowMs - sinceMs);
      const kept = tookMs <= withinMs && (outcome === 'remedied' || outcome === 'not needed');
      return { gate, withinMs, tookMs, kept };
    });

const short = (variant: string): string => variant.slice(0, 12);
