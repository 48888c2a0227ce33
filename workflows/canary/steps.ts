import type { CanaryStep } from '../../contracts/canary.ts';
import { percent } from './arms.ts';

/** A step's name is what tokens are bound to and what stands before the reason of its change of traffic. */
export const stepName = (nth: number): string => `canary ${nth + 1}`;

export const sentenceOf = (step: CanaryStep): string => {
  if ('weight' in step) return percent(step.weight);
  if ('pauseMs' in step) return `pause of ${lengthOf(step.pauseMs)}`;
  if ('approval' in step) return 'approval';
  if ('analysis' in step) return `analysis ${step.analysis}`;
  return 'mirror' in step ? `mirror ${percent(step.mirror)}` : 'fresh baseline';
};

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;
const lengthOf = (ms: number): string => {
  const [size, unit] = UNITS.find(([length]) => ms >= length && ms % length === 0) ?? [1_000, 's'];
  return `${ms / size} ${unit}`;
};
