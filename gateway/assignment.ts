/**
 * Which variant answers whom.
 *
 * 1. The same subject gets the same variant for as long as the shares stand. Each experiment, which is what a cycle was
 *    granted the lane for, deals anew: who was in the small share of one is not therefore in that of the next.
 * 2. The champion takes the low end of the line, so that a challenger whose share grows keeps those it had.
 * 3. An experiment compares the challenger with as many of the champion's subjects as it has itself, from the low end of the
 *    line: those are enrolled, and only those. The challenger's part grows from the high end, so up to half of the line no
 *    enrolled subject moves when a share grows; one from in between does, and is therefore nobody's.
 * 4. What is mirrored is drawn by answer, apart from who answers: a share of the mirror is that share of the answers.
 */
import { createHash } from 'node:crypto';
import type { ServiceState } from '../contracts/traffic.ts';
import { interleavedIn } from '../domain/traffic.ts';

const RESOLUTION = 2 ** 48;
/** Beyond it there are not as many subjects left for the champion. */
const MOST_TRIED = 0.5;

/** A number from 0 up to 1 that is evenly spread over subjects and stays with each of them. */
const placeOf = (...of: readonly [service: string, experiment: string, ...subject: string[]]): number =>
  createHash('sha256').update(of.join('\n')).digest().readUIntBE(0, 6) / RESOLUTION;

/** The trial that a row of traffic belongs to; null while one variant has all of it. */
export const experimentOf = ({ arms, epoch, promotion }: ServiceState): string | null =>
  arms.filter(({ share }) => share > 0).length > 1 ? laneOf({ epoch, promotion }) : null;

/** What a cycle was granted, as the log names it. */
export const laneOf = ({ epoch, promotion }: Pick<ServiceState, 'epoch' | 'promotion'>): string =>
  `${epoch}.${promotion}`;

export interface Assigned {
  readonly variant: string | null;
  /** Share of the challenger, where the subject is enrolled in the experiment. */
  readonly phase: number | null;
}

export const assigned = (state: ServiceState, subject: string): Assigned => {
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
  const variant = (mine ?? line.at(-1))?.variant ?? null;
  const share = trialShare(line, champion);
  return { variant, phase: share !== null && (variant !== champion || place < share) ? share : null };
};

export const assign = (state: ServiceState, subject: string): string | null => assigned(state, subject).variant;

/** Share of the challenger where one is tried against the champion, each answering for itself; `line` begins with the champion. */
const trialShare = (line: ServiceState['arms'], champion: string | null): number | null => {
  const [first, challenger, ...others] = line;
  if (first?.variant !== champion || challenger === undefined || others.length > 0) return null;
  return interleavedIn(line).length === 0 && challenger.share <= MOST_TRIED ? challenger.share : null;
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
