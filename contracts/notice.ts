/** What people are told. Types are wire format: receivers of a webhook tell by them what happened. */
import type { ApprovalRequest } from './messages.ts';

export const NOTICE_TYPES = [
  'approval.asked',
  'approval.reminder',
  'approval.escalated',
  'approval.decided',
  'approval.expired',
  'cycle.rolled-back',
  'cycle.failed',
  'cycle.killed',
  'ab.asked',
  'canary.asked',
  'fix.remedied',
  'fix.asked',
  'fix.failed',
  'watch.inconclusive',
  'watch.rolled-back',
  'watch.asked',
] as const;
export type NoticeType = (typeof NOTICE_TYPES)[number];

export interface Notice {
  /** The same for every attempt, so that a receiver can drop what it has already. */
  readonly key: string;
  readonly type: NoticeType;
  readonly at: string;
  readonly service: string;
  readonly cycle: string;
  readonly text: string;
  /** What is to be approved, where a decision is asked for. */
  readonly approval?: ApprovalRequest;
  /** The roles that are meant; everybody where absent. */
  readonly roles?: readonly string[];
  /** What to type next, where something is to be done. */
  readonly command?: string;
}
