/** What a seed decides about a trial: one number, and nothing else, tells what goes wrong, where, when and how often. */
import { hash32, pick, seeded } from '../../domain/random.ts';
import type { Point, Scene } from './points.ts';

export const FAULTS = [
  /** An error, and nothing was done. */
  'refused',
  /** No answer in time, and nothing was done. */
  'timed out',
  /** It was done, and the caller gets an error. */
  'applied, then timed out',
  /** The worker that does it is gone: no answer ever, before the effect … */
  'dead before',
  /** … and after it. */
  'dead after',
  /** While it is on its way a person kills the service, … */
  'kill',
  /** … kills it past Temporal, straight in the store, … */
  'break-glass',
  /** … aborts or pauses the cycle, or terminates its workflow by hand. */
  'abort',
  'pause',
  'terminate',
] as const;

/** What comes from outside to the very workflow that calls: to a trial in live traffic, a watch, or a fix. */
export const HERE = ['abort here', 'pause here', 'skip here', 'promote here', 'undo here', 'terminate here'] as const;
export type FaultKind = (typeof FAULTS)[number] | (typeof HERE)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** For what comes from outside: before the effect, or when it is there but nobody was told yet. */
  readonly when: 'before' | 'after';
  /** From the nth time on, so many times in a row. */
  readonly nth: number;
  readonly times: number;
  /** How often what comes from outside is sent; twice is at once, or one after the other. */
  readonly sent: 'once' | 'twice at once' | 'twice';
}

export interface TrialPlan {
  readonly point: string;
  readonly seed: number;
  readonly scene: Scene;
  readonly fault: Fault;
  /** null: the plan asks nobody. */
  readonly person: 'approves' | 'rejects' | null;
  /** How the challenger does in live traffic; 'turns': well until it is promoted. */
  readonly challenger: 'better' | 'worse' | 'turns';
  /** Another cycle of the same service is asked for when the first one holds the lane. */
  readonly beside: boolean;
  readonly trigger: 'gate' | 'hand';
  /** The guardian starts a new run after so many events. */
  readonly historyLimit: number | null;
}

const BREAKS: ReadonlySet<FaultKind> = new Set(['refused', 'timed out', 'applied, then timed out']);

/** The kinds of faults that a point can have. */
export const kindsAt = ({ scene, slow }: Point): readonly FaultKind[] => {
  const all: readonly FaultKind[] = inTraffic(scene) ? [...FAULTS, ...HERE] : FAULTS;
  // A kill that comes while a kill is on its way joins it, and would here wait for itself.
  if (scene === 'kill') return all.filter((one) => one !== 'kill');
  return slow ? all.filter((one) => one !== 'dead before' && one !== 'dead after') : all;
};

/** Every kind comes in turn as the seed goes up, so that a few seeds are many kinds; the rest is drawn. */
export const planTrial = (point: Point, seed: number): TrialPlan => {
  const { name, scene, often, together } = point;
  const random = seeded(hash32(`${name}/${seed}`));
  const kinds = kindsAt(point);
  const kind = kinds[(hash32(name) + seed) % kinds.length] ?? 'refused';
  const draw = (share: number): boolean => random() < share;
  const fault = {
    kind,
    when: draw(0.5) ? ('before' as const) : ('after' as const),
    nth: 1 + Math.floor(random() * often),
    times: BREAKS.has(kind) ? 1 + Math.floor(random() * (together ? 1 : 3)) : 1,
  };
  const story = IN_TRAFFIC[scene] ?? beforeTraffic(point, kind, draw);
  const trigger = pick(random, ['gate', 'hand'] as const);
  const historyLimit = draw(0.3) ? 30 : null;
  const sent = pick(random, ['once', 'twice at once', 'twice'] as const);
  return { point: name, seed, scene, fault: { ...fault, sent }, ...story, trigger, historyLimit };
};

type Drawn = Pick<TrialPlan, 'person' | 'challenger' | 'beside'>;

/** Trials in live traffic are reached by a cycle that nothing else disturbs. */
const IN_TRAFFIC: Readonly<Partial<Record<Scene, Drawn>>> = {
  canary: { person: null, challenger: 'better', beside: false },
  'canary approval': { person: 'approves', challenger: 'better', beside: false },
  'canary rollback': { person: null, challenger: 'worse', beside: false },
  ab: { person: null, challenger: 'better', beside: false },
  'ab harm': { person: null, challenger: 'worse', beside: false },
  watch: { person: null, challenger: 'turns', beside: false },
  breach: { person: null, challenger: 'turns', beside: false },
};

/** Whether its cycle has trials in live traffic. */
export const inTraffic = (scene: Scene): boolean => scene in IN_TRAFFIC;

const beforeTraffic = ({ name, scene }: Point, kind: FaultKind, draw: (share: number) => boolean): Drawn => ({
  // A break-glass kill is heard of by and by: nothing else may end the cycle in between.
  person:
    scene === 'approval'
      ? 'approves'
      : draw(0.3)
        ? isEarly(name) && kind !== 'break-glass' && draw(0.3)
          ? 'rejects'
          : 'approves'
        : null,
  challenger:
    scene === 'rollback' || (scene === 'promotion' && !isLate(name) && kind !== 'break-glass' && draw(0.15))
      ? 'worse'
      : 'better',
  beside: scene === 'promotion' && draw(0.25),
});

/** Reached before anybody is asked. */
const isEarly = (name: string): boolean =>
  /findBreach|diagnose|augment|train|evaluate|readPlan|admit|variant/.test(name);
/** Reached by a promotion only. */
const isLate = (name: string): boolean => /promote|setBaseline|get in learn/.test(name);
