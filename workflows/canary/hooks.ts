import { isCancellation, proxyActivities, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import type { CanaryActivities, Hook } from '../../contracts/canary.ts';
import { queues } from '../../contracts/queues.ts';
import type { Trial } from '../../contracts/trial.ts';
import { reasonOf } from '../failure.ts';
import { hookOptions } from '../options.ts';

/** What the hooks of a moment say: the first no of one that decides ends the canary, the rest is a note. */
export interface HooksSaid {
  readonly no: string | null;
  readonly notes: readonly string[];
}

export const askHooks = async (
  hooks: readonly Hook[],
  at: Hook['at'],
  what: string,
  trial: Trial,
): Promise<HooksSaid> => {
  const notes: string[] = [];
  for (const hook of hooks.filter((one) => one.at === at)) {
    const { ok, because } = await ask(hook, what, trial);
    if (ok) continue;
    const no = `hook ${hook.name} says no: ${because}`;
    if (hook.decides && at !== 'after') return { no, notes };
    notes.push(no);
  }
  return { no: null, notes };
};

/** Silence is a no. An activity of the service's own may answer anything; only a yes is one. */
const ask = async (hook: Hook, what: string, trial: Trial): Promise<{ ok: boolean; because: string }> => {
  const key = `${workflowInfo().workflowId}/hook/${hook.name}/${what}`;
  try {
    const answer = await ('url' in hook.runs
      ? proxyActivities<Pick<CanaryActivities, 'callHook'>>(hookOptions(hook, queues.data)).callHook({
          ...{ hook, key, trial, what },
        })
      : scheduleActivity<unknown>(hook.runs.activity, [{ key, trial, what }], hookOptions(hook, hook.runs.taskQueue)));
    const { ok, because } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>;
    return { ok: ok === true, because: typeof because === 'string' ? because.slice(0, 500) : 'it gave no reason' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { ok: false, because: reasonOf(error) };
  }
};
