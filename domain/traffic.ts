/**
 * What may happen to a service's traffic, as values in and values out; the store runs these inside its transaction.
 *
 * 1. The epoch and the promotion number never fall.
 * 2. The shares of the arms add up to 1. What an arm mirrors is beside that: nobody is answered by it.
 * 3. A killed service that has gold serves gold alone, and gold is its champion: what serves after the kill is what the
 *    next cycle must beat.
 */
import type { Arm, Latch, Refusal, ServiceState, TrafficChange } from '../contracts/traffic.ts';

type Known = (variant: string) => boolean;

const whole = (variant: string): readonly Arm[] => [{ variant, share: 1 }];

/** Why a change makes no sense at all, whatever the service's state; null when it does. */
export const malformed = ({ arms, token, champion }: TrafficChange): string | null => {
  const numbers = [token.epoch, token.promotion];
  if (!numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    return `epoch and promotion must be whole numbers from 0 on, but are ${numbers.join(' and ')}`;
  }
  const odd = arms.find(({ share }) => !(share >= 0 && share <= 1));
  if (odd) return `the share of ${odd.variant} must be from 0 to 1, but is ${odd.share}`;
  const oddMirror = arms.find(({ mirror = 0 }) => !(mirror >= 0 && mirror <= 1));
  if (oddMirror) return `the mirror share of ${oddMirror.variant} must be from 0 to 1, but is ${oddMirror.mirror}`;
  if (new Set(arms.map(({ variant }) => variant)).size < arms.length) return 'a variant is named by two arms';
  const sum = arms.reduce((total, { share }) => total + share, 0);
  if (!(Math.abs(sum - 1) <= 1e-9)) return `the shares must add up to 1, but add up to ${sum}`;
  if (champion !== undefined && !arms.some((arm) => arm.variant === champion && arm.share > 0)) {
    return `the new champion ${champion} must have a share`;
  }
  const mixed = interleavedIn(arms);
  if (mixed.length !== 0 && mixed.length !== 2) return `two arms can be interleaved, or none, but ${mixed.length} are`;
  const shareless = mixed.find(({ share }) => !(share > 0));
  return shareless ? `${shareless.variant} is interleaved, so it must have a share` : null;
};

export const interleavedIn = (arms: readonly Arm[]): readonly Arm[] => arms.filter(({ interleave }) => interleave);

/** The part of the requests in whose answers a variant may have a hand. */
export const reachOf = (variant: string, arms: readonly Arm[]): number => {
  const own = arms.find((arm) => arm.variant === variant);
  return (own?.interleave ? interleavedIn(arms) : own ? [own] : []).reduce((sum, { share }) => sum + share, 0);
};

/** The first rule that is broken answers. */
const RULES: ReadonlyArray<readonly [Refusal, (state: ServiceState, change: TrafficChange, known: Known) => boolean]> =
  [
    ['stale epoch', (state, { token }) => token.epoch !== state.epoch],
    ['stale promotion', (state, { token }) => token.promotion !== state.promotion],
    ['killed', (state) => state.latch === 'killed'],
    ['disarmed', (state) => state.latch === 'disarmed'],
    ['unknown variant', (_, { arms }, known) => !arms.every(({ variant }) => known(variant))],
  ];
export const whyNotShift = (state: ServiceState, change: TrafficChange, known: Known): Refusal | null =>
  RULES.find(([, broken]) => broken(state, change, known))?.[0] ?? null;

export const shifted = (state: ServiceState, { arms, champion }: TrafficChange): ServiceState => ({
  ...state,
  arms,
  champion: champion ?? state.champion,
});

/** Only an armed service lets a cycle near its traffic. */
export const whyNotGrant = ({ latch }: ServiceState): Refusal | null => (latch === 'armed' ? null : latch);

/** The new number fences off every change that was granted before. */
export const granted = (state: ServiceState): ServiceState => ({ ...state, promotion: state.promotion + 1 });

export const killed = (state: ServiceState, because: string): ServiceState => ({
  ...onGold(state, state.gold),
  latch: 'killed',
  because,
  epoch: state.epoch + 1,
});

const onGold = (state: ServiceState, gold: string | null): ServiceState =>
  gold === null ? state : { ...state, champion: gold, arms: whole(gold) };

export const whyNotArm = (state: ServiceState, fleetKilled: boolean): Refusal | null => {
  if (fleetKilled) return 'killed';
  return state.gold === null ? 'no gold' : null;
};

export const armed = (state: ServiceState, because: string): ServiceState => ({ ...state, latch: 'armed', because });

/** Under the latch the new gold serves at once, since what is killed serves gold. */
export const gilded = (state: ServiceState, gold: string): ServiceState => ({
  ...(state.latch === 'killed' ? onGold(state, gold) : state),
  gold,
});

/** How a service starts: without gold, and under the fleet's latch where that is down. */
export const registered = (service: string, champion: string, latch: Latch, because: string): ServiceState => ({
  service,
  latch,
  because,
  epoch: 0,
  promotion: 0,
  champion,
  gold: null,
  arms: whole(champion),
});
