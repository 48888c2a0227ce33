import type { Usage } from '../contracts/stages.ts';
import { cpuUsage } from '../domain/usage.ts';
import type { StageDeps } from './stage-deps.ts';

/** CPU time of this process since it was made, of all of its threads: whoever asks must be the only one at work. */
export const cpuClock = (): (() => number) => {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
};

/**
 * What so many milliseconds of CPU time come to; a thread of its own that does one thing keeps one core busy, so its time is
 * CPU time. A configuration that cannot be read now does not undo the work; its price is not known then.
 */
export const usageOf = async (
  { services }: Pick<StageDeps, 'services'>,
  service: string,
  milliseconds: number,
): Promise<Usage> => {
  const config = await services.config(service).catch(() => null);
  return cpuUsage(milliseconds, config?.cpuHour ?? null);
};
