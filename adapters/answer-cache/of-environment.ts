import type { Environment } from '../../infra/setup/environment.ts';
import { memoryAnswers } from './memory.ts';
import type { AnswerCache } from './port.ts';
import type { RedisDeps } from './redis.ts';

/** In the Redis of PAWL_CACHE, which is loaded only then; otherwise in this process. */
export const answersOf = async (
  { answerCache: url }: Pick<Environment, 'answerCache'>,
  deps: Omit<RedisDeps, 'url'>,
): Promise<AnswerCache> =>
  url === null ? memoryAnswers(deps.now) : (await import('./redis.ts')).redisAnswers({ ...deps, url });
