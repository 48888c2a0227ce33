/**
 * Traffic, fencing and the latch.
 *
 * 1. Every change of traffic carries a token (kill epoch, promotion number). The store checks it in the transaction of
 *    the change: another epoch, or any promotion number but the one granted last, is refused.
 * 2. A kill raises the epoch and sends all traffic to gold, so whatever was decided before it can no longer move traffic.
 * 3. A repeated key gets the first answer; the same key with another content is an error of the caller.
 */

/** What a change of traffic must carry to be let through. */
export interface FencingToken {
  readonly epoch: number;
  readonly promotion: number;
}

/** Part of the traffic for one variant; the shares of a service add up to 1. */
export interface Arm {
  readonly variant: string;
  readonly share: number;
  /** Share of the requests that this variant answers too, beside whoever answers them; nobody sees what it finds. */
  readonly mirror?: number;
  /** On two arms: whoever falls into the share of either gets one list, drafted from what both of them find. */
  readonly interleave?: true;
}

/** disarmed: nobody vouched for gold yet. armed: the loop may act. killed: gold serves until a person rearms. */
export const LATCHES = ['disarmed', 'armed', 'killed'] as const;
export type Latch = (typeof LATCHES)[number];

/** What the store holds of a service; the one truth about what serves. */
export interface ServiceState {
  readonly service: string;
  readonly latch: Latch;
  /** Why the latch stands where it stands. */
  readonly because: string;
  readonly epoch: number;
  readonly promotion: number;
  readonly champion: string | null;
  readonly gold: string | null;
  readonly arms: readonly Arm[];
}

/** Who does something, as the ledger names them. */
export interface Actor {
  /** 'person', 'guardian', 'cycle', 'gateway', 'schedule' … */
  readonly kind: string;
  readonly name: string;
}

interface Keyed {
  /** Idempotency key: workflow id + step, or one made once by the person's command. */
  readonly key: string;
  readonly service: string;
  readonly actor: Actor;
  readonly reason: string;
}

export interface TrafficChange extends Keyed {
  readonly cycle: string | null;
  readonly token: FencingToken;
  readonly arms: readonly Arm[];
  /** Set when this change also makes a variant champion. */
  readonly champion?: string;
}

export const REFUSALS = [
  'stale epoch',
  'stale promotion',
  'killed',
  'disarmed',
  'unknown service',
  'unknown variant',
  'no gold',
  'policy',
  /** The service's router does not hold newer changes against older ones. */
  'router',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export type StateAnswer =
  | { readonly outcome: 'done'; readonly state: ServiceState }
  | {
      readonly outcome: 'refused';
      readonly because: Refusal;
      readonly why?: string;
      readonly state: ServiceState | null;
    };

export interface GrantOrder extends Keyed {
  readonly cycle: string;
}
export interface KillOrder extends Keyed {}
export interface ArmOrder extends Keyed {}
export interface GoldOrder extends Keyed {
  readonly variant: string;
}
