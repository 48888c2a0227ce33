/** How each remedy is done. A change of traffic is never cancelled half-way: its answer is known before anything else. */
import { CancellationScope, isCancellation, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import type { FixInput, FixStep, RemediationActivities, Remedy } from '../../contracts/remediation.ts';
import type { Refusal, TrafficChange } from '../../contracts/traffic.ts';
import type { GateFinding } from '../../contracts/vitals.ts';
import { reasonOf } from '../failure.ts';
import { remedyOptions, store } from '../options.ts';
import type { Fix } from './fix.ts';

/** Wire format: the reason of a change of traffic says which remedy it was. */
const NAMES: Readonly<Record<Remedy, string>> = {
  restart: 'restart',
  scale: 'scale',
  cheaper: 'back to a cheaper champion',
  previous: 'back to the previous champion',
  gold: 'back to gold',
};
export const nameOf = ({ remedy }: Pick<FixStep, 'remedy'>): string => NAMES[remedy];

export interface Applied {
  readonly done: boolean;
  readonly because: string;
  /** The store lets this fix move nothing any more. */
  readonly refusal?: Refusal;
}

export const applied = (
  fix: Fix,
  input: FixInput,
  step: FixStep,
  findings: readonly GateFinding[],
): Promise<Applied> =>
  step.variant === null ? byHook(input, step, findings) : byTraffic(fix, input, step, step.variant);

/** What is lost for good, not for this variant alone. */
const FENCED: ReadonlySet<Refusal> = new Set(['killed', 'stale epoch', 'stale promotion', 'disarmed']);

const byTraffic = async (fix: Fix, input: FixInput, step: FixStep, variant: string): Promise<Applied> => {
  const { service, token } = input;
  const change: TrafficChange = {
    ...{ service, token, champion: variant, cycle: input.fix, actor: { kind: 'fix', name: input.fix } },
    key: `${workflowInfo().workflowId}/${step.remedy}`,
    reason: `fix: ${nameOf(step)}`,
    arms: [{ variant, share: 1 }],
  };
  const summary = `${change.reason} ${variant.slice(0, 12)}`;
  const answer = await CancellationScope.nonCancellable(() =>
    store.shiftTraffic.executeWithOptions({ summary }, [change]),
  );
  if (answer.outcome === 'done') {
    fix.moved(variant);
    return { done: true, because: `${variant.slice(0, 12)} serves` };
  }
  const because = `refused: ${answer.why ?? answer.because}`;
  return { done: false, because, ...(FENCED.has(answer.because) && { refusal: answer.because }) };
};

type CallRemedy = RemediationActivities['callRemedy'];

const byHook = async (
  { service, fix, plan }: FixInput,
  { remedy }: FixStep,
  findings: readonly GateFinding[],
): Promise<Applied> => {
  if (remedy !== 'restart' && remedy !== 'scale') return { done: false, because: `${remedy} is no hook` };
  const key = `${workflowInfo().workflowId}/${remedy}`;
  const options = remedyOptions(plan.hooks[remedy]?.timeoutMs ?? 0, `have the service do: ${remedy}`);
  try {
    const order = { service, fix, key, remedy, findings };
    const { ok, because } = await scheduleActivity<Awaited<ReturnType<CallRemedy>>>('callRemedy', [order], options);
    return { done: ok, because: ok ? because : `could not be done: ${because}` };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { done: false, because: `could not be done: ${reasonOf(error)}` };
  }
};
