/**
 * Whether subjects came to the arms as they were dealt (sample ratio mismatch). Each phase of a ramp is held against the
 * shares of that phase: summed first, a ramp would look like a mismatch, and a mismatch in one phase could hide in another.
 */
import { chiSquareSf } from './special.ts';

export interface DealtPhase {
  readonly observed: readonly [number, number];
  /** Shares, or anything in their ratio. */
  readonly expected: readonly [number, number];
}

/** Below this, what was measured is of other people than it claims. */
export const MISMATCH = 0.001;

/** Chi-square over all phases: statistics and degrees of freedom add up. Null without a subject. */
export const sampleRatioP = (phases: readonly DealtPhase[]): number | null => {
  const counted = phases.filter(({ observed: [a, b] }) => a + b > 0);
  if (counted.length === 0) return null;
  // Whoever is in an arm that nobody is dealt to did not get there by chance; that nobody is there is none either.
  if (counted.some(({ observed, expected }) => observed.some((n, arm) => n > 0 && expected[arm] === 0))) return 0;
  const dealt = counted.filter(({ expected: [a, b] }) => a > 0 && b > 0);
  const sum = dealt.reduce((total, phase) => total + statistic(phase), 0);
  return dealt.length === 0 ? 1 : chiSquareSf(sum, dealt.length);
};

const statistic = ({ observed: [a, b], expected: [s, t] }: DealtPhase): number => {
  const ofA = ((a + b) * s) / (s + t);
  const ofB = ((a + b) * t) / (s + t);
  return (a - ofA) ** 2 / ofA + (b - ofB) ** 2 / ofB;
};
