import type { CanaryTraffic } from '../../contracts/canary-messages.ts';
import type { Arm } from '../../contracts/traffic.ts';
import type { Trial } from '../../contracts/trial.ts';

/**
 * Who serves what. A twin gets what the challenger gets, as long as there is as much; the champion has the rest. Whoever
 * has nothing is left out.
 */
export const armsOf = (
  { champion, challenger }: Pick<Trial, 'champion' | 'challenger'>,
  { weight, mirror, twin }: Pick<CanaryTraffic, 'weight' | 'mirror' | 'twin'>,
): readonly Arm[] => {
  const beside = twin === null ? 0 : Math.min(weight, 1 - weight);
  const mirrored = mirror > 0 ? { mirror } : {};
  const arms: readonly Arm[] = [
    { variant: champion, share: rounded(1 - weight - beside) },
    { variant: challenger, share: weight, ...mirrored },
    ...(twin === null ? [] : [{ variant: twin, share: rounded(beside), ...mirrored }]),
  ];
  return arms.filter((arm) => arm.share > 0 || (arm.mirror ?? 0) > 0);
};

/** 1 - 0.9 - 0.1 is less than nothing to a computer. */
const rounded = (share: number): number => Math.round(share * 1e12) / 1e12;

/** In whatever order a router tells them. */
export const sameArms = (some: readonly Arm[], others: readonly Arm[]): boolean => {
  const [a, b] = [serving(some), serving(others)];
  return (
    a.length === b.length &&
    a.every(({ variant, share, mirror = 0 }) =>
      b.some(
        (other) =>
          other.variant === variant &&
          Math.abs(other.share - share) < 1e-9 &&
          Math.abs((other.mirror ?? 0) - mirror) < 1e-9,
      ),
    )
  );
};
const serving = (arms: readonly Arm[]): readonly Arm[] =>
  arms.filter(({ share, mirror = 0 }) => share > 0 || mirror > 0);

export const armsSentence = (arms: readonly Arm[]): string =>
  arms
    .map(({ variant, share, mirror = 0 }) => {
      const seen = `${variant.slice(0, 12)} ${percent(share)}`;
      return mirror > 0 ? `${seen} and ${percent(mirror)} mirrored` : seen;
    })
    .join(', ');

export const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
