/** Who must have agreed, and what the policy must have allowed, before traffic moves. */

import { type Decision, decisionsIn } from './decisions.ts';
import type { Arm, Evidence, LedgerRow } from './evidence.ts';
import {
  at,
  beforeOf,
  championOf,
  type Finding,
  isDone,
  isOfFix,
  notApplicable,
  type Rule,
  stateOf,
} from './reading.ts';

interface Admitted {
  readonly row: LedgerRow;
  readonly workflow: string;
  /** How many people must approve; 0: nobody is asked, null: the row does not say. */
  readonly quorum: number | null;
}

const admittedIn = ({ ledger }: Evidence): Admitted[] =>
  ledger
    .filter(({ kind }) => kind === 'cycle admitted')
    .map((row) => {
      const approval = row.body.approval as { readonly quorum?: number } | null | undefined;
      const quorum = approval === undefined ? null : approval === null ? 0 : (approval.quorum ?? 1);
      return { row, workflow: String(row.body.workflowId), quorum };
    });

const approvalsIn = (evidence: Evidence): Decision[] =>
  decisionsIn(evidence).filter(({ action, allowed }) => action === 'approve' && allowed);

export const nobodyApprovesTheirOwn: Rule = (evidence) => {
  const approvals = approvalsIn(evidence);
  if (approvals.length === 0) return notApplicable('nobody has approved anything');
  const asked = new Map(admittedIn(evidence).map(({ workflow, row }) => [workflow, row.actor.name]));
  return approvals
    .filter(({ workflow, person }) => asked.get(workflow ?? '') === person)
    .map(({ row, person, workflow }) => at(row, `${person} asked for ${workflow} and approved it`));
};

/** Different people, for this very variant, before the cycle moves anything at all. */
export const hasItsApprovals: Rule = (evidence) => {
  const admitted = admittedIn(evidence).filter(({ quorum }) => quorum !== null);
  if (admitted.length === 0) return notApplicable('no admission says whether people are asked');
  const approvals = Map.groupBy(approvalsIn(evidence), (one) => one.workflow);
  const steps = evidence.ledger.filter((row) => row.actor.kind === 'cycle' && isDone('shift')(row));
  const ofCycle = Map.groupBy(steps, ({ service, cycle }) => `${service} ${cycle}`);
  return admitted.flatMap(({ row: { service, cycle }, workflow, quorum }): Finding[] => {
    const moves = ofCycle.get(`${service} ${cycle}`) ?? [];
    const [first] = moves;
    const promotion = moves.find((row) => championOf(row) !== null);
    if (!first || !promotion || quorum === null) return [];
    const variant = championOf(promotion);
    const people = new Set(
      (approvals.get(workflow) ?? [])
        .filter((one) => one.variant === variant && one.row.seq < first.seq)
        .map(({ person }) => person),
    );
    if (people.size >= quorum) return [];
    const who = people.size === 0 ? 'nobody' : [...people].join(', ');
    return [at(promotion, `${cycle} promoted ${variant} with the approval of ${who}; ${quorum} must approve`)];
  });
};

/** What people looked at is what the evaluation left, for as long as the cycle has ended and says so. */
export const approvesWhatWasLeft: Rule = (evidence) => {
  const approvals = approvalsIn(evidence);
  if (approvals.length === 0) return notApplicable('nobody has approved anything');
  const ends = evidence.ledger.filter(({ kind }) => kind === 'cycle ended');
  const left = new Map(
    ends.flatMap(({ service, cycle, body }): Array<[string, string]> => {
      const evaluation = (body.evidence as { readonly evaluate?: { readonly sha256: string } } | undefined)?.evaluate;
      return evaluation ? [[`${service} ${cycle}`, evaluation.sha256]] : [];
    }),
  );
  return approvals.flatMap(({ row, person, evidence: seen }) => {
    const evaluation = left.get(`${row.service} ${row.cycle}`);
    if (evaluation === undefined || evaluation === seen) return [];
    return [at(row, `${person} approved the evidence ${seen}; the evaluation of ${row.cycle} left ${evaluation}`)];
  });
};

/** From the first decision about automation on: before it there was no policy that could have been asked. */
export const automationIsAllowed: Rule = (evidence) => {
  const decisions = decisionsIn(evidence).filter(({ person }) => person === null);
  const since = decisions[0]?.row.seq;
  if (since === undefined) return notApplicable('no policy has been asked about automation');
  const allowed = Map.groupBy(
    decisions.filter((one) => one.allowed),
    ({ action, row: { service, cycle } }) => `${action} ${service} ${cycle}`,
  );
  return evidence.ledger
    .filter((row) => row.seq > since && isDone('shift')(row))
    .flatMap((row): Finding[] => {
      const action = loosenedBy(row);
      if (action === null) return [];
      const { seq, service, cycle } = row;
      const isAllowed = (allowed.get(`${action} ${service} ${cycle}`) ?? []).some(
        (one) => one.row.seq < seq && (action === 'deploy' || one.variant === null || one.variant === championOf(row)),
      );
      return isAllowed ? [] : [at(row, `${cycle} did ${action}, and no decision of the policy allows it`)];
    });
};

/** By what it did, not by what it calls itself. What gives to champion and gold alone is a way back. */
const loosenedBy = (row: LedgerRow): 'deploy' | 'promote' | null => {
  const [before, after] = [beforeOf(row), stateOf(row)];
  // What a fix may go back to is a rule of its own.
  if (!before || !after || isOfFix(row)) return null;
  if (after.champion !== before.champion) return 'promote';
  const given = after.arms.filter(({ variant }) => reachOf(variant, after.arms) > reachOf(variant, before.arms));
  return given.some(({ variant }) => variant !== before.champion && variant !== before.gold) ? 'deploy' : null;
};

/** The part of the requests that it has a hand in: two that are interleaved have a hand in those of both. */
const reachOf = (variant: string, arms: readonly Arm[]): number => {
  const own = arms.find((arm) => arm.variant === variant);
  const together = own?.interleave === true ? arms.filter(({ interleave }) => interleave === true) : own ? [own] : [];
  return together.reduce((sum, { share }) => sum + share, 0);
};

/**
 * From the first decision about a start of the service on; each admission uses up one. A fix that a person asks for restricts,
 * and needs none; where a token came along, one was made all the same.
 */
export const startsAreAllowed: Rule = (evidence) => {
  const decisions = Map.groupBy(
    decisionsIn(evidence).filter(({ action }) => action === 'start'),
    ({ row }) => row.service,
  );
  if (decisions.size === 0) return notApplicable('no policy has been asked about starts');
  return evidence.ledger
    .filter((row) => row.kind === 'cycle admitted' || isPolicedFix(row))
    .flatMap((row): Finding[] => {
      const asked = decisions.get(row.service) ?? [];
      if (!asked.some((one) => one.row.seq < row.seq)) return [];
      const found = asked.findIndex((one) => one.allowed && one.row.seq < row.seq);
      // A refusal stays, so that it is still known that the policy was asked.
      if (found >= 0) asked[found] = { ...(asked[found] as Decision), allowed: false };
      return found >= 0 ? [] : [at(row, `${row.cycle} was admitted, and no decision of the policy allows its start`)];
    });
};

const isPolicedFix = ({ kind, actor, body }: LedgerRow): boolean =>
  kind === 'fix admitted' && (actor.kind !== 'person' || Boolean(body.decision));
