/**
 * Which variant answers whom.
 *
 * 1. The same subject gets the same variant for as long as the shares stand. Each experiment, which is what a cycle was
 *    granted the lane for, deals anew: who was in the small share of one is not therefore in that of the next.
 * 2. The champion takes the low end of the line, so that a challenger whose share grows keeps those it had.
 * 3. What is mirrored is drawn by answer, apart from who answers: a share of the mirror is that share of the answers.
 */
import { createHash } from 'node:crypto';
import type { ServiceState } from '../contracts/traffic.ts';
import { interleavedIn } from '../domain/traffic.ts';

const RESOLUTION = 2 ** 48;

/** A number from 0 up to 1 that is evenly spread over subjects and stays with each of them. */
const placeOf = (...of: readonly [service: string, experiment: string, ...subject: string[]]): number =>
  createHash('sha256').update(of.join('\n')).digest().readUIntBE(0, 6) / RESOLUTION;

/** The trial that a row of traffic belongs to; null while one variant has all of it. */
export const experimentOf = ({ arms, epoch, promotion }: ServiceState): string | null =>
  arms.filter(({ share }) => share > 0).length > 1 ? laneOf({ epoch, promotion }) : null;

/** What a cycle was granted, as the log names it. */
export const laneOf = ({ epoch, promotion }: Pick<ServiceState, 'epoch' | 'promotion'>): string =>
  `${epoch}.${promotion}`;

export const assign = (state: ServiceState, subject: string): string | null => {
  const { service, arms, champion } = state;
  const line = arms
    .filter(({ share }) => share > 0)
    .sort(
      (a, b) => Number(b.variant === champion) - Number(a.variant === champion) || (a.variant < b.variant ? -1 : 1),
    );
  const place = placeOf(service, experimentOf(state) ?? '', subject);
  let end = 0;
  const mine = line.find(({ share }) => {
    end += share;
    return place < end;
  });
  // Shares such as 0.1 add up to a little less than 1: the rest belongs to the last one.
  return (mine ?? line.at(-1))?.variant ?? null;
};

/** The variants that are asked too, for this answer. */
export const mirrorsOf = (state: ServiceState, answer: string): readonly string[] =>
  state.arms
    .filter(({ variant, mirror = 0 }) => placeOf(state.service, laneOf(state), answer, variant) < mirror)
    .map(({ variant }) => variant);

/** The variant whose list is mixed with that of this one; null where it answers alone. */
export const partnerOf = ({ arms }: ServiceState, variant: string): string | null => {
  const mixed = interleavedIn(arms).map((arm) => arm.variant);
  return mixed.includes(variant) ? (mixed.find((other) => other !== variant) ?? null) : null;
};
