/**
 * Asking people for a decision about a step of a cycle.
 *
 * 1. A decision is made once: by as many different people as the plan asks for, by one who rejects, or by the time.
 * 2. A person counts once, and so does a token, however often either comes.
 * 3. What the plan does not ask for makes no command, so that cycles from before it could be asked for replay.
 * 4. Telling people is not waited for, and decides nothing.
 */
import { condition, isCancellation } from '@temporalio/workflow';
import type { Approval } from '../../contracts/evidence.ts';
import { restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import type { Answer, ApprovalRequest, CycleInput } from '../../contracts/messages.ts';
import type { NoticeType } from '../../contracts/notice.ts';
import type { ApprovalPlan, Stage } from '../../contracts/plan.ts';
import type { SignedToken } from '../../contracts/token.ts';
import { accepted, refused } from '../messages.ts';
import type { Notices } from './notices.ts';
import type { Signatures } from './signatures.ts';
import type { Timeline } from './timeline.ts';

export interface Decision {
  readonly decision: 'approved' | 'rejected' | 'expired';
  readonly by: string;
  readonly reason: string;
}
/** One variant on one evidence: what is approved is this and nothing else. */
export type Subject = Pick<ApprovalRequest, 'variant' | 'evidence' | 'summary'>;

interface Question {
  readonly request: ApprovalRequest;
  readonly quorum: number;
  readonly approvals: Approval[];
  /** Who may decide; whoever the policy permits where absent. */
  roles: readonly string[] | undefined;
  decision: Decision | null;
}

const NOBODY_WAITS = 'nothing waits for a decision now';
const expired: Decision = { decision: 'expired', by: 'nobody', reason: 'no decision came in time' };
const stopped: Decision = { decision: 'rejected', by: 'nobody', reason: 'the cycle was stopped' };

export class Approvals {
  readonly #input: CycleInput;
  readonly #timeline: Timeline;
  readonly #signatures: Signatures;
  readonly #notices: Notices;
  readonly #given: Approval[] = [];
  readonly #answers = new Map<SignedToken, Answer>();
  #question: Question | null = null;

  constructor(input: CycleInput, timeline: Timeline, signatures: Signatures, notices: Notices) {
    this.#input = input;
    this.#timeline = timeline;
    this.#signatures = signatures;
    this.#notices = notices;
  }

  /** What waits for a person now. */
  get request(): ApprovalRequest | null {
    return this.#question && { ...this.#question.request, approvals: [...this.#question.approvals] };
  }

  /** All that was given in this cycle, whatever came of it. */
  get given(): readonly Approval[] {
    return this.#given;
  }

  async ask(step: Stage, subject: Subject, plan: ApprovalPlan): Promise<Decision> {
    const question = this.#open(step, subject, plan);
    this.#timeline.begin(step, 'waiting');
    this.#show(question);
    this.#tell('approval.asked', question, 'asks for approval');
    try {
      const decided = condition(() => question.decision !== null, plan.expiresMs, { summary: 'approval expires' });
      inBackground(this.#remind(question, plan));
      inBackground(this.#escalate(question, plan));
      await decided;
      question.decision ??= expired;
    } finally {
      question.decision ??= stopped;
      this.#question = null;
    }
    const { decision } = question;
    const sentence = sentenceOf(question, decision);
    this.#timeline.finish(step, decision.decision === 'approved' ? 'done' : 'failed', sentence);
    this.#tell(decision === expired ? 'approval.expired' : 'approval.decided', question, sentence);
    return decision;
  }

  async approve(message: unknown): Promise<Answer> {
    const known = this.#answers.get(tokenOf(message) ?? '');
    if (known) return known;
    const question = this.#question;
    if (!question || question.decision) return refused(NOBODY_WAITS);
    const about = {
      approvedBy: question.approvals.map(({ person }) => person),
      ...(question.roles && { roles: question.roles }),
    };
    const verified = await this.#signatures.verify(message, 'approve', question.request, about);
    if (!verified.claims) return refused(verified.because);
    if (question.decision) return refused('the decision was made meanwhile');
    const { person, role, reason } = verified.claims;
    if (about.approvedBy.includes(person)) return refused(`${person} has approved already; ${waitsFor(question)}`);
    const answer = this.#count(question, { person, role, reason, at: new Date().toISOString() });
    this.#answers.set(verified.token, answer);
    return answer;
  }

  /** One is enough, whatever was approved before. */
  reject(message: unknown): Answer {
    const question = this.#question;
    if (!question || question.decision) return refused(NOBODY_WAITS);
    question.decision = { decision: 'rejected', ...restrictionOf(message) };
    return accepted('rejected');
  }

  #open(step: Stage, subject: Subject, plan: ApprovalPlan): Question {
    const { quorum = 1, roles, expiresMs } = plan;
    const expiresAt = new Date(Date.now() + expiresMs).toISOString();
    const { requestedBy } = this.#input.request;
    const request = { ...subject, step, expiresAt, quorum, requestedBy };
    this.#question = { request, quorum, approvals: [], roles, decision: null };
    return this.#question;
  }

  #count(question: Question, approval: Approval): Answer {
    const { approvals, quorum } = question;
    approvals.push(approval);
    this.#given.push(approval);
    const count = quorum === 1 ? '' : `, ${approvals.length} of ${quorum}`;
    if (approvals.length < quorum) {
      this.#show(question);
      return accepted(`approved by ${approval.person}${count}; ${waitsFor(question)}`);
    }
    question.decision = {
      decision: 'approved',
      by: namesOf(approvals),
      reason: approvals.map(({ reason }) => reason).join('; '),
    };
    return accepted(`approved by ${approval.person}${count}`);
  }

  async #remind(question: Question, { remindMs, expiresMs }: ApprovalPlan): Promise<void> {
    if (remindMs === undefined) return;
    for (let n = 1; n * remindMs < expiresMs; n++) {
      if (await condition(() => question.decision !== null, remindMs, { summary: 'approval: reminder' })) return;
      this.#tell('approval.reminder', question, `still ${waitsFor(question)}`, n);
    }
  }

  async #escalate(question: Question, { escalate, expiresMs }: ApprovalPlan): Promise<void> {
    if (!escalate || escalate.afterMs >= expiresMs) return;
    const { afterMs, roles } = escalate;
    if (await condition(() => question.decision !== null, afterMs, { summary: 'approval: escalation' })) return;
    // Who was asked first may still decide: people who wake up late are as welcome as those who were woken.
    question.roles &&= [...new Set([...question.roles, ...roles])];
    this.#tell('approval.escalated', question, `${waitsFor(question)}; now for ${roles.join(', ')} too`, 1, roles);
  }

  #show(question: Question): void {
    this.#timeline.waitFor({ ...question.request, approvals: question.approvals }, this.#input.cycle);
  }

  #tell(type: NoticeType, question: Question, what: string, n = 1, roles = question.roles): void {
    const { service, cycle } = this.#input;
    const { step, variant, summary, expiresAt } = question.request;
    const open = question.decision === null;
    this.#notices.send(type, `${step}/${n}`, {
      text: `${service}: ${cycle} ${what}: ${step} of ${variant.slice(0, 12)} (${summary})${open ? `, until ${expiresAt}` : ''}`,
      approval: { ...question.request, approvals: [...question.approvals] },
      ...(roles && { roles }),
      ...(open && { command: `pawl approve ${cycle} --service ${service} --reason "…"` }),
    });
  }
}

const inBackground = (work: Promise<void>): void => {
  work.catch((error) => {
    if (!isCancellation(error)) throw error;
  });
};

const namesOf = (approvals: readonly Approval[]): string =>
  approvals.map(({ person, role }) => `${person} (${role})`).join(', ');

const waitsFor = ({ quorum, approvals }: Question): string => {
  const missing = quorum - approvals.length;
  const whom = approvals.length > 0 ? 'more' : missing === 1 ? 'person' : 'people';
  return `waits for ${missing === 1 ? 'one' : missing} ${whom}`;
};

/** What was approved in vain stays visible. */
const sentenceOf = ({ approvals, quorum }: Question, { decision, by, reason }: Decision): string => {
  const before =
    decision === 'approved' || approvals.length === 0
      ? ''
      : ` (${approvals.length} of ${quorum} had approved: ${namesOf(approvals)})`;
  return `${decision} by ${by}: ${reason}${before}`;
};
