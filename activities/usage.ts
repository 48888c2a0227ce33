import type { Usage } from '../contracts/stages.ts';
import { cpuUsage } from '../domain/usage.ts';
import type { StageDeps } from './stage-deps.ts';

/**
 * What work in a thread of its own has used: it keeps one core busy, so its time is CPU time. A configuration that cannot
 * be read now does not undo the work; its price is not known then.
 */
export const usageOf = async (
  { services }: Pick<StageDeps, 'services'>,
  service: string,
  milliseconds: number,
): Promise<Usage> => {
  const config = await services.config(service).catch(() => null);
  return cpuUsage(milliseconds, config?.cpuHour ?? null);
};
