/** Trials in live traffic: each is a child of the cycle, which moves traffic by the cycle's right and undoes what it did. */
import {
  CancellationScope,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { AbEnd, AbOutcome } from '../../contracts/ab-messages.ts';
import type { CanaryEnd } from '../../contracts/canary-messages.ts';
import { abWorkflowId, canaryWorkflowId, watchWorkflowId } from '../../contracts/ids.ts';
import type { CycleEnd, CycleInput, Outcome } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import type { Trial } from '../../contracts/trial.ts';
import { abEvaluation } from '../ab-evaluation.ts';
import { canaryPromotion } from '../canary-promotion.ts';
import { reasonOf } from '../failure.ts';
import { ask, store } from '../options.ts';
import { promotionWatch } from '../promotion-watch.ts';
import type { Cycle } from './cycle.ts';
import type { Lane } from './traffic.ts';

type Approved = Pick<Trial, 'challenger' | 'evidence'>;

/** Better goes on to the canary; everything else is an end. */
const AB_ENDS: Readonly<Record<Exclude<AbOutcome, 'better' | 'refused'>, Outcome>> = {
  kept: 'kept',
  harm: 'rolled back',
  void: 'kept',
  expired: 'expired',
  rejected: 'rejected',
  aborted: 'aborted',
};

export const trialOf = (input: CycleInput, { token, arms }: Lane, approved: Approved): Trial => {
  const { service, cycle, champion, plan, request } = input;
  const { environment } = plan;
  return { service, cycle, environment, champion, token, arms, requestedBy: request.requestedBy, ...approved };
};

/** null: the challenger is better, and goes on. */
export const evaluated = async (cycle: Cycle, { plan }: CycleInput, trial: Trial): Promise<CycleEnd | null> => {
  if (!plan.ab) return null;
  const { ab } = plan;
  const { end } = await cycle.stage('ab', async () => {
    const options = childOptions(trial, abWorkflowId(trial.service, trial.cycle));
    const notify = plan.notify ?? false;
    const child = executeChild(abEvaluation, { ...options, args: [{ trial, plan: ab, notify }] });
    return left(
      await child.catch(async (error): Promise<never> => {
        await lost(error, 'ab ended', trial, options.workflowId);
        throw error;
      }),
    );
  });
  const { outcome, because } = end;
  if (outcome === 'better') return null;
  return outcome === 'refused'
    ? cycle.refused('the A/B evaluation', end.refusal ?? because, trial.challenger)
    : cycle.ended(AB_ENDS[outcome], because, trial.challenger);
};

export const promoted = async (cycle: Cycle, { plan }: CycleInput, trial: Trial, why: string): Promise<CycleEnd> => {
  const { canary } = plan;
  if (!canary) return cycle.ended('failed', 'the plan has no canary', trial.challenger);
  const { end } = await cycle.stage('canary', async () => {
    const options = childOptions(trial, canaryWorkflowId(trial.service, trial.cycle));
    const notify = plan.notify ?? false;
    const child = executeChild(canaryPromotion, { ...options, args: [{ trial, plan: canary, notify }] });
    return left(
      await child.catch(async (error): Promise<CanaryEnd> => {
        const because = await lost(error, 'canary ended', trial, options.workflowId);
        return { outcome: 'promoted', because, evidence: null };
      }),
    );
  });
  const { outcome, because, refusal } = end;
  if (end.championBroken) cycle.afterwards(() => fallToGold(trial, because));
  if (outcome === 'refused') return cycle.refused('the canary', refusal ?? because, trial.challenger);
  if (outcome !== 'promoted') return cycle.ended(outcome, because, trial.challenger);
  if (canary.watch) cycle.afterwards(() => watchOn(trial, canary));
  return cycle.settle(cycle.ended('promoted', why, trial.challenger));
};

/** Its lane is free by then. What becomes of the fix stands in its own workflow. */
const fallToGold = async ({ service, cycle, champion }: Trial, because: string): Promise<void> => {
  const request = {
    key: `${canaryWorkflowId(service, cycle)}/champion-broken`,
    requestedBy: { kind: 'cycle', name: cycle },
    reason: `the champion is broken as well: ${because}`,
    findings: [],
    only: 'gold' as const,
    champion,
  };
  await ask.askFix({ service, request });
};

/** It outlives the cycle, for hours or days. */
const watchOn = async (trial: Trial, { watch, analyses }: NonNullable<CycleInput['plan']['canary']>): Promise<void> => {
  const analysis = watch && analyses[watch.analysis];
  if (!watch || !analysis) return;
  const plan = { forMs: watch.forMs, analysis };
  await startChild(promotionWatch, {
    ...childOptions(trial, watchWorkflowId(trial.service, trial.cycle)),
    parentClosePolicy: ParentClosePolicy.ABANDON,
    args: [{ trial, plan, promotedAt: new Date().toISOString() }],
  });
};

/**
 * A trial that was terminated in Temporal tells no end any more, so its cycle does. Asked for again, the lane has another
 * number, which fences off whatever the trial had still on its way; from then on the ledger says whether its promotion took
 * effect. If it did, this answers; if not, what served before serves again, and the trial's failure is the cycle's.
 */
const lost = async (
  error: unknown,
  kind: 'ab ended' | 'canary ended',
  { service, cycle, challenger, arms }: Trial,
  workflowId: string,
): Promise<string> => {
  if (isCancellation(error)) throw error;
  return CancellationScope.nonCancellable(async () => {
    const because = `it was lost: ${reasonOf(error)}`;
    const actor = { kind: 'cycle', name: cycle };
    const lane = await ask.askLane({ service, cycle });
    const [found] = await ask.findEnded({ workflowIds: [workflowId] });
    const isPromoted = found?.promoted === challenger;
    if (lane.granted && !isPromoted) {
      const key = `${workflowInfo().workflowId}/back after a loss`;
      const back = { key, service, cycle, actor, reason: 'back after a loss', arms };
      await store.shiftTraffic({ ...back, token: lane.token });
    }
    // The key is that of its own row: where it has written one, the store keeps that, and takes no other.
    const key = `${workflowId}/${kind === 'ab ended' ? kind : 'end'}`;
    const body = { outcome: isPromoted ? 'promoted' : 'aborted', because };
    await store.note({ entries: [{ key, service, cycle, kind, actor, reason: because, body }] }).catch(() => undefined);
    if (!isPromoted) throw error;
    return because;
  });
};

const left = <E extends AbEnd | CanaryEnd>(end: E) => ({
  end,
  summary: `${end.outcome}: ${end.because}`,
  ...(end.evidence && { evidence: end.evidence }),
});

const childOptions = ({ service, cycle, environment, challenger }: Trial, workflowId: string) => ({
  workflowId,
  taskQueue: queues.control,
  parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  typedSearchAttributes: attributesOf({ service, cycle, environment }),
  staticSummary: `${service} ${cycle}: ${challenger.slice(0, 12)} in live traffic`,
  workflowTaskTimeout: '5s' as const,
});
