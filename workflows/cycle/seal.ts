import { isCancellation, patched } from '@temporalio/workflow';
import type { Sealed, SealOrder } from '../../contracts/evidence.ts';
import type { CycleEnd, CycleInput } from '../../contracts/messages.ts';
import { reasonOf } from '../failure.ts';
import { evidence } from '../options.ts';
import type { Timeline } from './timeline.ts';

/** What the row of the cycle's end says about its evidence. */
export interface Sealing {
  /** null: it could not be sealed. */
  readonly sealed: Sealed | null;
  readonly unsealed?: string;
}

/**
 * Has the evidence of a cycle sealed. It is tried for a while and no longer: how a cycle ended must be told, with evidence
 * or without. null in a cycle from before there was anything to seal.
 */
export const seal = async (
  { service, cycle, plan, champion, request }: CycleInput,
  timeline: Timeline,
  left: { readonly end: CycleEnd } & Pick<SealOrder, 'evidence' | 'approvals'>,
): Promise<Sealing | null> => {
  // Cycles that were begun before evidence was sealed end without it. This may go when none of them can still run: after
  // the longest approval and the longest watch of any plan.
  if (!patched('2026-11-evidence')) return null;
  const { trigger, requestedBy, reason } = request;
  const done = timeline.stages.filter(({ state }) => state === 'done').map(({ stage }) => stage);
  try {
    const of = { service, cycle, plan, champion, request: { trigger, requestedBy, reason } };
    return { sealed: await evidence.sealEvidence({ ...of, ...left, done }) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { sealed: null, unsealed: reasonOf(error) };
  }
};
