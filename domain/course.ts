/**
 * The process of workflows/improvement-cycle.ts as a function: which decision leads to which step, or to which end. It goes as
 * far as something is recorded, and no further.
 */
import { OUTCOMES, type Outcome } from '../contracts/messages.ts';
import type { CyclePlan, Stage } from '../contracts/plan.ts';
import type { Verdict, Watching } from '../contracts/stages.ts';
import type { CycleRecord, Settings } from './rederive.ts';

export type Course =
  | { readonly ended: Outcome; readonly because: string; readonly challenger: string | null }
  | { readonly goesOnTo: Stage };

/** What each step decided; undefined where nothing is recorded of it. */
export interface Path {
  readonly breached?: boolean | undefined;
  readonly challenger?: string | null | undefined;
  readonly verdict?: Verdict | undefined;
  readonly reasons: readonly string[];
  readonly approved?: boolean | undefined;
  readonly watched?: Watching['state'] | undefined;
  readonly watchReasons: readonly string[];
  readonly ab?: string | undefined;
  readonly canary?: string | undefined;
}

/** What an A/B evaluation leads to; better goes on to the canary, and what was refused was stopped from outside. */
const AB_ENDS: Readonly<Partial<Record<string, Outcome>>> = {
  kept: 'kept',
  harm: 'rolled back',
  void: 'kept',
  expired: 'expired',
  rejected: 'rejected',
  aborted: 'aborted',
};
const isOutcome = (said: string): said is Outcome => (OUTCOMES as readonly string[]).includes(said);

const BY_A_KILL: ReadonlySet<string> = new Set(['killed', 'stale epoch']);

export const courseOf = (record: CycleRecord, { plan, trigger }: Settings, path: Path): Course => {
  const { challenger = null } = path;
  const ended = (outcome: Outcome, because: string, of: string | null = challenger): Course => {
    return { ended: outcome, because, challenger: of };
  };
  if (path.breached === undefined) return { goesOnTo: 'monitor' };
  if (!path.breached && trigger !== 'hand') return ended('kept', 'no gate is breached', null);
  if (!record.done.includes('diagnose')) return { goesOnTo: 'diagnose' };
  if (plan.mode === 'observe') return ended('kept', 'mode observe', null);
  if (!record.done.includes('augment')) return { goesOnTo: 'augment' };
  if (path.challenger === undefined && path.verdict === undefined)
    return { goesOnTo: record.train === null ? 'train' : 'evaluate' };
  if (challenger === null && path.verdict === undefined) return ended('rejected', 'nothing to try', null);
  if (challenger === record.champion) return ended('rejected', 'nothing to try', null);
  if (path.verdict === undefined) return { goesOnTo: 'evaluate' };
  if (path.verdict !== 'better') return ended('rejected', path.reasons.join('; ') || path.verdict);
  if (plan.mode === 'advise') return ended('kept', 'mode advise');
  if (path.approved !== true) return notApproved(record, challenger);
  return afterApproval(record, plan, path, ended);
};

const notApproved = ({ end }: CycleRecord, challenger: string | null): Course =>
  end.outcome === 'rejected' || end.outcome === 'expired'
    ? { ended: end.outcome, because: end.because, challenger }
    : { goesOnTo: 'approve' };

const afterApproval = (
  { traffic, watch }: CycleRecord,
  plan: CyclePlan,
  path: Path,
  ended: (outcome: Outcome, because: string) => Course,
): Course => {
  const refused = (what: string, because: string): Course =>
    ended(BY_A_KILL.has(because) ? 'killed' : 'failed', `${what} was refused: ${because}`);
  if (traffic.lane === 'champion changed') return ended('rejected', 'the champion has changed since the evaluation');
  if (plan.ab) {
    if (path.ab === undefined) return { goesOnTo: 'ab' };
    const end = AB_ENDS[path.ab];
    if (end) return ended(end, 'by its A/B evaluation');
    if (path.ab !== 'better') return { goesOnTo: 'ab' };
  }
  if (plan.canary) {
    if (path.canary === undefined) return { goesOnTo: 'canary' };
    return isOutcome(path.canary) ? ended(path.canary, 'by its canary') : { goesOnTo: 'canary' };
  }
  if (traffic.deploy === null) return { goesOnTo: 'deploy' };
  if (traffic.deploy !== 'done') return refused('deploy', traffic.deploy);
  if (path.watched === undefined) return { goesOnTo: 'watch' };
  // What was ended early because it was worse would have been watched on.
  const was = watch?.kind === 'evidence' ? watch.evidence.state : path.watched;
  if (was === 'degraded' && path.watched !== 'degraded') return { goesOnTo: 'watch' };
  if (path.watched !== 'healthy') return ended('rolled back', path.watchReasons.join('; ') || path.watched);
  if (traffic.promote === null) return { goesOnTo: 'promote' };
  if (traffic.promote !== 'done') return refused('promotion', traffic.promote);
  return ended('promoted', path.reasons.join('; ') || 'better');
};
