/** One canary, from the request for a cycle to its end, and what its visitors got meanwhile. */
import type { CanaryEnd } from '../../contracts/canary-messages.ts';
import { canaryWorkflowId, triggerId } from '../../contracts/ids.ts';
import type { Admission, CycleEnd } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { Visit } from '../../drills/scenarios/visitors.ts';
import { degradationOf, type Trial } from './ladder.ts';
import type { Place, Scene } from './scene.ts';

export type Outcome = 'promoted' | 'rolled back' | 'held' | 'lost';

export interface Attempt {
  readonly trial: Trial;
  readonly outcome: Outcome;
  readonly because: string;
  readonly visits: number;
  readonly failed: number;
  /** Requests a second while the challenger had a share. */
  readonly perSecond: number;
  /**
   * Milliseconds from the first request that the challenger answered, or that failed, to the last; null where it was promoted, or
   * had none.
   */
  readonly championMs: number | null;
}

/** Nobody answers, so whatever waits for a person goes back in the end. */
const HELD = 'no person decided in time';

export const attempt = async (
  { client, challenger: make, mend }: Scene,
  { service, visitors }: Place,
  trial: Trial,
  nth: number,
): Promise<Attempt> => {
  const challenger = await make(service, degradationOf(trial.kind));
  const before = visitors.visits.length;
  const admission: Admission = await client.workflow.execute('trigger', {
    workflowId: triggerId(service, `${nth}`),
    taskQueue: queues.control,
    args: [{ service, reason: 'a canary on trial', challenger }],
  });
  if (!admission.admitted) return { ...NOTHING, trial, because: admission.because };
  const cycle = (await client.workflow.getHandle(admission.workflowId).result()) as CycleEnd;
  const canary = client.workflow.getHandle(canaryWorkflowId(service, admission.cycle));
  mend(challenger);
  const end = await (canary.result() as Promise<CanaryEnd>).catch(() => null);
  const outcome = outcomeOf(cycle, end);
  return { trial, outcome, because: cycle.because, ...seen(visitors.visits.slice(before), challenger, outcome) };
};

const NOTHING = { outcome: 'lost', visits: 0, failed: 0, perSecond: 0, championMs: null } as const;

const outcomeOf = (cycle: CycleEnd, end: CanaryEnd | null): Outcome => {
  if (cycle.outcome === 'promoted' && end?.outcome === 'promoted') return 'promoted';
  if (cycle.outcome !== 'rolled back' || end?.outcome !== 'rolled back') return 'lost';
  return end.because.includes(HELD) ? 'held' : 'rolled back';
};

const seen = (visits: readonly Visit[], challenger: string, outcome: Outcome) => {
  // Who failed does not say whose fault it was; the champion's do not fail.
  const others = visits.filter(({ variant, status }) => variant === challenger || status !== 200);
  const [first, last] = [others.at(0)?.askedAt, others.at(-1)?.askedAt];
  const on = first === undefined || last === undefined ? 0 : last - first;
  const meanwhile = visits.filter(({ askedAt }) => first !== undefined && askedAt >= first && askedAt <= first + on);
  return {
    visits: visits.length,
    failed: visits.filter(({ status }) => status !== 200).length,
    perSecond: on > 0 ? (1_000 * meanwhile.length) / on : 0,
    championMs: outcome === 'promoted' || first === undefined ? null : on,
  };
};
