/** What waits for a person's approval, as it is shown. */
import type { ApprovalRequest } from '../contracts/messages.ts';
import { type Line, relative, short, warn } from './text.ts';

export const approvalLines = (approval: ApprovalRequest, now: number): Line[] => [
  [
    warn('Waits for a person'),
    ` to ${approval.step} ${short(approval.variant)}, expires ${relative(approval.expiresAt, now)}`,
  ],
  ['  variant   ', approval.variant],
  ['  evidence  ', approval.evidence],
  ['  summary   ', approval.summary],
  ...(approval.requestedBy ? [['  asked by  ', askedBy(approval)]] : []),
  ...(approval.quorum === undefined ? [] : [['  approved  ', approvedSoFar(approval)]]),
];

export const askedBy = ({ requestedBy }: ApprovalRequest): string | null =>
  requestedBy ? `${requestedBy.name} (${requestedBy.kind})` : null;

/** `1 of 2: ada (approver)` */
export const approvedSoFar = ({ quorum = 1, approvals = [] }: ApprovalRequest): string => {
  const people = approvals.map(({ person, role }) => `${person} (${role})`).join(', ');
  return `${approvals.length} of ${quorum}${people === '' ? '' : `: ${people}`}`;
};

/** Why this person cannot approve it; null where nothing is known that stands against it. */
export const objectionTo = ({ requestedBy, approvals = [] }: ApprovalRequest, person: string): string | null => {
  if (requestedBy?.kind === 'person' && requestedBy.name === person) return 'you asked for it';
  return approvals.some((one) => one.person === person) ? 'you approved it already' : null;
};
