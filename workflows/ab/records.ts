/** What an evaluation leaves behind: rows in the ledger, and its report. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { AbReport } from '../../contracts/ab.ts';
import type { AbMemory, AbOutcome } from '../../contracts/ab-messages.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { Trial } from '../../contracts/trial.ts';
import { abReports, store } from '../options.ts';

export const note = async (
  { service, cycle, champion, challenger }: Trial,
  kind: 'ab started' | 'ab ended',
  reason: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const row = { key: `${workflowInfo().workflowId}/${kind}`, service, cycle, kind, reason };
  const actor = { kind: 'cycle', name: cycle };
  await store.note({ entries: [{ ...row, actor, body: { champion, challenger, ...body } }] });
};

/** null: it could not be kept in time, or there is nothing yet. */
export const keep = async (
  trial: Trial,
  memory: AbMemory | null,
  outcome: AbOutcome | null,
  because: string,
): Promise<ArtifactRef | null> => {
  if (memory === null) return null;
  const { plan, expectation, finding, sums, looks, startedMs } = memory;
  const [startedAt, at] = [new Date(startedMs).toISOString(), new Date().toISOString()];
  const report: AbReport = { trial, plan, expectation, startedAt, at, outcome, because, finding, sums, looks };
  try {
    return await abReports.keepAb(report);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
};
