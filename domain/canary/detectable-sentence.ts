/** 'With 120 requests a minute and 5 % for the canary, a window of 5 min notices latency +31 % …' */
import type { Judging } from '../../contracts/canary.ts';
import { HIGHER_IS_BETTER, type Metric } from '../../contracts/vitals.ts';
import type { CanaryTraffic, Noticed } from './detectable.ts';

export const sentenceOf = (
  { requestsPerMinute, share, windowMs }: CanaryTraffic,
  { samples }: Pick<Judging, 'samples'>,
  effects: readonly Noticed[],
): string => {
  const seen = effects.filter(({ relative, points }) => relative !== null || points !== null);
  const unseen = effects.filter((effect) => !seen.includes(effect));
  const which = `With ${rounded(requestsPerMinute)} requests a minute and ${rounded(100 * share)} % for the canary, a window of ${spoken(windowMs)}`;
  const notices =
    seen.length === 0
      ? `${which} notices no change.`
      : `${which} notices ${listed(seen.map(changeOf))}; less may pass unseen.`;
  return unseen.length === 0
    ? notices
    : `${notices} It cannot judge ${listed(unseen.map(({ metric, values }) => lackOf(metric, values, samples)))}.`;
};

const changeOf = ({ metric, relative, points }: Noticed): string => {
  const sign = HIGHER_IS_BETTER.has(metric) ? '−' : '+';
  return points === null
    ? `${metric} ${sign}${upwards(100 * (relative ?? 0))} %`
    : `${metric} ${sign}${upwards(100 * points)} points`;
};

const lackOf = (metric: Metric, { challenger, baseline }: Noticed['values'], samples: number): string => {
  const fewer = Math.min(challenger, baseline);
  return fewer < samples
    ? `${metric} (${fewer} values in it, of ${samples} that are needed)`
    : `${metric} (nothing is known of it, or nothing is large enough)`;
};

const listed = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
const rounded = (value: number): number => Number(value.toPrecision(3));
/** To two digits, and never promising more than was worked out. */
const upwards = (value: number): number => {
  const unit = 10 ** (Math.floor(Math.log10(Math.max(value, 1e-6))) - 1);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2));
};
const spoken = (ms: number): string =>
  ms < 120_000
    ? `${rounded(ms / 1_000)} s`
    : ms < 7_200_000
      ? `${rounded(ms / 60_000)} min`
      : `${rounded(ms / 3_600_000)} h`;
