// stand-in until adapters/service/config.ts is there
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { homePaths } from '../adapters/home.ts';
import { pawlYaml, type ServiceConfig } from '../contracts/config.ts';

export const findServices = async (home: string): Promise<ReadonlyArray<{ service: string; file: string }>> => {
  const { config, services } = homePaths(home);
  const files = existsSync(config) ? [config] : [];
  if (existsSync(services)) for (const name of readdirSync(services)) files.push(join(services, name, 'pawl.yaml'));
  return files.map((file) => ({ file, service: String(parse(readFileSync(file, 'utf8')).service) }));
};
export const loadService = async (file: string, _environment: unknown): Promise<ServiceConfig> => {
  const parsed = pawlYaml.parse(parse(readFileSync(file, 'utf8')));
  return {
    training: { trials: 20, time: 10_000, seed: 7 },
    schedules: [],
    ...parsed,
    folder: dirname(file),
    digest: '',
    commit: null,
  } as unknown as ServiceConfig;
};
