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
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** For what comes from outside: before the effect, or when it is there but nobody was told yet. */
  readonly when: 'before' | 'after';
  /** From the nth time on, so many times in a row. */
  readonly nth: number;
  readonly times: number;
}

export interface TrialPlan {
  readonly point: string;
  readonly seed: number;
  readonly scene: Scene;
  readonly fault: Fault;
  /** null: the plan asks nobody. */
  readonly person: 'approves' | 'rejects' | null;
  /** How the challenger does in live traffic. */
  readonly challenger: 'better' | 'worse';
  /** Another cycle of the same service is asked for when the first one holds the lane. */
  readonly beside: boolean;
  readonly trigger: 'gate' | 'hand';
  /** The guardian starts a new run after so many events. */
  readonly historyLimit: number | null;
}

const BREAKS: ReadonlySet<FaultKind> = new Set(['refused', 'timed out', 'applied, then timed out']);

/** Every kind comes in turn as the seed goes up, so that a few seeds are many kinds; the rest is drawn. */
export const planTrial = ({ name, scene, often }: Point, seed: number): TrialPlan => {
  const random = seeded(hash32(`${name}/${seed}`));
  // A kill that comes while a kill is on its way joins it, and would here wait for itself.
  const kinds = scene === 'kill' ? FAULTS.filter((one) => one !== 'kill') : FAULTS;
  const kind = kinds[(hash32(name) + seed) % kinds.length] ?? 'refused';
  const draw = (share: number): boolean => random() < share;
  return {
    point: name,
    seed,
    scene,
    fault: {
      kind,
      when: draw(0.5) ? 'before' : 'after',
      nth: 1 + Math.floor(random() * often),
      times: BREAKS.has(kind) ? 1 + Math.floor(random() * 3) : 1,
    },
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
    trigger: pick(random, ['gate', 'hand']),
    historyLimit: draw(0.3) ? 30 : null,
  };
};

/** Reached before anybody is asked. */
const isEarly = (name: string): boolean =>
  /findBreach|diagnose|augment|train|evaluate|readPlan|admit|variant/.test(name);
/** Reached by a promotion only. */
const isLate = (name: string): boolean => /promote|setBaseline|get in learn/.test(name);
