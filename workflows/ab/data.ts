/** What an evaluation knows of the service's subjects: at its start, and at each look. */
import { isCancellation } from '@temporalio/workflow';
import type { AbFinding, AbPlan, AbSums } from '../../contracts/ab.ts';
import type { AbMemory } from '../../contracts/ab-messages.ts';
import type { Trial } from '../../contracts/trial.ts';
import { decideAb } from '../../domain/ab/decision.ts';
import { abWork } from '../options.ts';
import { experimentOf, outlookOf, shareIn } from './memory.ts';

export type Terms = Pick<AbMemory, 'plan' | 'nth' | 'expectation' | 'outlook'>;

/** By which alpha it decides, and how long that will take. It goes on where nobody can tell how long. */
export const termsOf = async ({ service, cycle }: Trial, given: AbPlan): Promise<Terms> => {
  const { alpha, nth } = await abWork.alphaOf({ service, cycle, alpha: given.alpha });
  const plan: AbPlan = { ...given, alpha };
  const { metric, gain } = plan;
  const expectation = await abWork.expectAb({ service, metric, gain, alpha }).catch((error: unknown) => {
    if (isCancellation(error)) throw error;
    return null;
  });
  return { plan, nth, expectation, outlook: outlookOf(plan, expectation) };
};

export interface Look {
  readonly sums: AbSums;
  readonly finding: AbFinding;
  readonly nowMs: number;
  readonly share: number;
}

export const takeLook = async (
  trial: Trial,
  { plan, phase, startedMs, sums: before }: AbMemory,
  nowMs: number,
): Promise<Look> => {
  const { service, champion, challenger } = trial;
  const { windowMs, beforeMs, metric, guardrails } = plan;
  const sums = await abWork.lookAtArms({
    ...{ service, experiment: experimentOf(trial), champion, challenger },
    metrics: [...new Set([metric, ...guardrails.map((guardrail) => guardrail.metric)])],
    ...{ windowMs, beforeMs, since: startedMs, now: nowMs, sums: before },
  });
  const share = shareIn(plan, phase);
  return { sums, finding: decideAb(sums, plan, { startedMs, nowMs, share }), nowMs, share };
};
