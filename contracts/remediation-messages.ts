/** What is said to a guardian and to a fix, and what a fix says of itself and of its end. */
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import { fieldOf } from './message-shapes.ts';
import { type FixAnswer, type FixEnd, type FixPromise, type FixRequest, REMEDIES, type Remedy } from './remediation.ts';

/** Asks the guardian for a fix. The same key gets the same answer. It needs no signature: whatever it does is a way back. */
export const fixUpdate = defineUpdate<FixAnswer, [FixRequest]>('fix');

/** One thing that a fix has done, or is doing. */
export interface FixReport {
  readonly what: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly summary: string | null;
}
export interface FixStatus {
  readonly service: string;
  readonly fix: string;
  readonly workflowId: string;
  readonly reason: string;
  readonly symptoms: readonly string[];
  /** What it means to do, in this order; empty while it is not known. */
  readonly course: readonly Remedy[];
  readonly reports: readonly FixReport[];
  readonly tried: FixEnd['tried'];
  readonly champion: string | null;
  readonly promises: readonly FixPromise[];
  readonly end: FixEnd | null;
}
export const fixStatusQuery = defineQuery<FixStatus>('fixStatus');

/** What came may be anything. */
export const isFixRequest = (value: unknown): value is FixRequest => {
  if (fieldOf(value, 'key') === null) return false;
  const { requestedBy, reason, findings, only, champion, since } = value as Partial<Record<keyof FixRequest, unknown>>;
  return (
    fieldOf(requestedBy, 'kind') !== null &&
    fieldOf(requestedBy, 'name') !== null &&
    typeof reason === 'string' &&
    Array.isArray(findings) &&
    findings.length <= MOST_FINDINGS &&
    findings.every((one) => fieldOf(one, 'gate') !== null && fieldOf(one, 'metric') !== null) &&
    (only === undefined || REMEDIES.some((remedy) => remedy === only)) &&
    (champion === undefined || typeof champion === 'string') &&
    (since === undefined || (typeof since === 'string' && !Number.isNaN(Date.parse(since))))
  );
};
const MOST_FINDINGS = 100;
