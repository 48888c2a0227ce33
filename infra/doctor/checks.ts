import type { Environment } from '../setup/environment.ts';
import type { Check } from './check.ts';
import { homeChecks } from './home.ts';
import { machineChecks } from './machine.ts';
import { temporalChecks } from './temporal.ts';

/** What `pawl doctor` shows, from the machine up to what serves. */
export async function runChecks(environment: Environment): Promise<Check[]> {
  const groups = await Promise.all([machineChecks(environment), temporalChecks(environment), homeChecks(environment)]);
  return groups.flat();
}

export const isHealthy = (checks: readonly Check[]): boolean => checks.every(({ state }) => state !== 'failed');
