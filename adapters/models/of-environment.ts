import { join } from 'node:path';
import type { Environment } from '../../infra/setup/environment.ts';
import { type ModelCache, modelCache } from './cache.ts';

/** The cache of this user: `$XDG_CACHE_HOME/pawl/models`. */
export const modelCacheOf = ({
  cache,
  python,
  hub,
  variables,
}: Pick<Environment, 'cache' | 'python' | 'hub' | 'variables'>): ModelCache =>
  modelCache({ folder: join(cache, 'models'), pip: { python, variables }, hub, now: Date.now });
