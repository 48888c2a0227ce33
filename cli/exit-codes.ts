/** Exit codes: one per kind of failure, and one per way in which a cycle that was waited for did not end well. */
import type { AbOutcome } from '../contracts/ab-messages.ts';
import type { CanaryOutcome } from '../contracts/canary-messages.ts';
import { failures } from '../contracts/failures.ts';
import type { LoraOutcome } from '../contracts/lora-messages.ts';
import type { Outcome } from '../contracts/messages.ts';
import type { FixOutcome } from '../contracts/remediation.ts';

export const OUTCOME_CODES: Readonly<Record<Outcome, number>> = {
  promoted: 0,
  kept: 0,
  rejected: 20,
  'rolled back': 21,
  expired: 22,
  aborted: 23,
  killed: 24,
  failed: 25,
};

/** Of a fine-tune that was waited for, in the same words. */
export const LORA_CODES: Readonly<Record<LoraOutcome, number>> = {
  trained: 0,
  refused: failures.NotAllowed.exitCode,
  aborted: OUTCOME_CODES.aborted,
  failed: OUTCOME_CODES.failed,
};

/** Of a canary that was waited for, in the same words. */
export const CANARY_CODES: Readonly<Record<CanaryOutcome, number>> = {
  promoted: OUTCOME_CODES.promoted,
  'rolled back': OUTCOME_CODES['rolled back'],
  aborted: OUTCOME_CODES.aborted,
  refused: failures.Refused.exitCode,
};

/** Of an A/B evaluation that was waited for, in the same words; what did harm was rolled back. */
export const AB_CODES: Readonly<Record<AbOutcome, number>> = {
  better: OUTCOME_CODES.promoted,
  kept: OUTCOME_CODES.kept,
  harm: OUTCOME_CODES['rolled back'],
  void: failures.NoData.exitCode,
  expired: OUTCOME_CODES.expired,
  rejected: OUTCOME_CODES.rejected,
  aborted: OUTCOME_CODES.aborted,
  refused: failures.Refused.exitCode,
};

/** Of a fix that was waited for. */
export const FIX_CODES: Readonly<Record<FixOutcome, number>> = {
  remedied: 0,
  'not needed': 0,
  asked: failures.Refused.exitCode,
  aborted: OUTCOME_CODES.aborted,
  killed: OUTCOME_CODES.killed,
  failed: OUTCOME_CODES.failed,
};

export interface ExitCode {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

export const exitCodes: readonly ExitCode[] = [
  { code: 0, name: 'Done', meaning: 'It was done; a cycle that was waited for ended as promoted or kept.' },
  ...Object.entries(failures).map(([name, { exitCode, meaning }]) => ({ code: exitCode, name, meaning })),
  ...Object.entries(OUTCOME_CODES)
    .filter(([, code]) => code !== 0)
    .map(([name, code]) => ({ code, name, meaning: `The cycle that was waited for ended as ${name}.` })),
  { code: 130, name: 'Interrupted', meaning: 'Ctrl-C. What was started goes on; only the command ended.' },
];
