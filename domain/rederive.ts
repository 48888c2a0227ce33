/**
 * From what a cycle recorded to what it decided, once more, and from its decisions to how it ended.
 *
 * 1. Nothing but evidence goes in. What a stage of the service's own decided is taken as it was recorded, and is named as
 *    not derivable; it is never counted as agreement.
 * 2. Where decisions lead is said in course.ts.
 * 3. What came from outside (a person who rejects, a kill, an abort, a failure) is a fact. It may stop the process at any
 *    place that the process had reached, and at no other.
 */
import type { AbFinding, AbReport } from '../contracts/ab.ts';
import type { CycleEnd, CycleRequest, Outcome } from '../contracts/messages.ts';
import type { CyclePlan, Stage } from '../contracts/plan.ts';
import type { Verdict, Watching } from '../contracts/stages.ts';
import type { SearchSettings } from '../contracts/variant.ts';
import type { GateFinding, Vitals } from '../contracts/vitals.ts';
import { decideAb } from './ab/decision.ts';
import { type Difference, pairedDifference } from './bootstrap.ts';
import { canonicalJson } from './canonical-json.ts';
import { type Course, courseOf, type Path } from './course.ts';
import { judgeGate } from './gate.ts';
import { mean } from './intervals.ts';
import { best, propose, type SearchSpace, settingsOf, type Trial } from './settings-search.ts';
import { judgeOffline } from './verdict.ts';
import { judgeWatch, type WatchRule } from './watch.ts';

/** What a stage that was done has left, as far as it can be read. */
export type Left<T> =
  | { readonly kind: 'evidence'; readonly evidence: T }
  | { readonly kind: 'own' }
  | { readonly kind: 'erased' }
  | { readonly kind: 'lost'; readonly because: string };

export interface MonitorRecord {
  readonly vitals: readonly Vitals[];
  readonly baseline: Vitals | null;
  readonly findings: readonly GateFinding[];
}
export interface TrainRecord {
  readonly challenger: string | null;
  readonly seed: number;
  readonly trials: readonly Trial[];
  readonly space: SearchSpace;
}
export interface EvaluateRecord {
  readonly challenger: string;
  readonly seed: number;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly difference: Difference;
  readonly scores: ReadonlyArray<{ readonly champion: number; readonly challenger: number }>;
}
export interface WatchRecord extends Pick<Watching, 'state' | 'reasons'> {
  readonly rule: WatchRule;
  readonly champion: Vitals;
  readonly challenger: Vitals;
}
/** An approval whose signature was checked again. */
export interface CheckedApproval {
  readonly person: string;
  /** Why it does not count; null where it does. */
  readonly objection: string | null;
}
/** Something else that a person has signed, such as a start, checked again. */
export interface CheckedSignature {
  readonly what: string;
  readonly objection: string | null;
}
/** How a canary ended, as its report has it. */
export interface CanaryRecord {
  readonly outcome: string;
  readonly because: string;
}
export type AbRecord = Pick<AbReport, 'plan' | 'startedAt' | 'outcome' | 'because' | 'finding' | 'sums' | 'looks'>;
/** What the store answered: 'done', or why it refused. */
export type Traffic = { readonly [step in 'deploy' | 'promote']: string | null } & {
  readonly lane: 'granted' | 'champion changed' | null;
};

export interface CycleRecord {
  readonly champion: string;
  readonly end: CycleEnd;
  readonly done: readonly Stage[];
  readonly monitor: Left<MonitorRecord> | null;
  readonly train: Left<TrainRecord> | null;
  readonly evaluate: Left<EvaluateRecord> | null;
  readonly watch: Left<WatchRecord> | null;
  readonly ab?: Left<AbRecord> | null;
  readonly canary?: Left<CanaryRecord> | null;
  readonly approvals: readonly CheckedApproval[];
  readonly signatures: readonly CheckedSignature[];
  readonly traffic: Traffic;
  /** The id that a variant with these settings has. */
  readonly idOf: (settings: SearchSettings) => string;
}

/** What decides, beside the evidence: the plan of the cycle, or another one. */
export interface Settings {
  readonly plan: CyclePlan;
  readonly trigger: CycleRequest['trigger'];
  /** It was given, not trained. */
  readonly challenger?: string | undefined;
}

export interface Decision {
  readonly what: string;
  readonly recorded: string;
  readonly derived: string;
  /** null: it cannot be derived, because a stage of the service's own decided it, or its evidence was erased. */
  readonly agrees: boolean | null;
}
export interface Rederived {
  readonly decisions: readonly Decision[];
  readonly course: Course;
}

export const rederive = (record: CycleRecord, settings: Settings): Rederived => {
  const gates = gatesOf(record, settings);
  const training = trainingOf(record, settings);
  const verdict = verdictOf(record);
  const approval = approvalOf(record, settings);
  const watch = watchOf(record, settings);
  const steps = [gates, training, verdict, approval, watch, abOf(record), canaryOf(record)];
  const path: Path = Object.assign({ reasons: [], watchReasons: [] }, ...steps.map((step) => step.path));
  const course = courseOf(record, settings, sameChallenger(record, path));
  const decided = steps.flatMap((step) => step.decisions);
  return { decisions: [...record.signatures.map(signed), ...decided, endOf(record, course)], course };
};

const signed = ({ what, objection }: CheckedSignature): Decision => {
  const derived = objection ?? 'allowed: signed by whoever it says';
  return { what, recorded: 'allowed', derived, agrees: objection === null };
};

interface Step {
  readonly decisions: readonly Decision[];
  readonly path: Partial<Path>;
}
const NOTHING: Step = { decisions: [], path: {} };

const UNDERIVABLE = { own: "a stage of the service's own", erased: 'its evidence was erased on purpose' } as const;

/** The step where there is evidence; otherwise what its decision must have been for the cycle to go as it went. */
const stepOf = <T>(
  what: string,
  left: Left<T> | null,
  asRecorded: Partial<Path>,
  derive: (evidence: T) => Step,
): Step => {
  if (left === null) return NOTHING;
  if (left.kind === 'evidence') return derive(left.evidence);
  const derived = left.kind === 'lost' ? left.because : `not derivable: ${UNDERIVABLE[left.kind]}`;
  return {
    decisions: [{ what, recorded: 'as it went', derived, agrees: left.kind === 'lost' ? false : null }],
    path: asRecorded,
  };
};

const wentOn = ({ done, traffic }: CycleRecord, ...to: readonly Stage[]): boolean =>
  to.some((stage) => done.includes(stage)) || (to.includes('deploy') && traffic.lane !== null);

const gatesOf = (record: CycleRecord, { plan: { gates } }: Settings): Step =>
  stepOf(
    'gates',
    record.monitor,
    { breached: record.end.outcome !== 'kept' || wentOn(record, 'diagnose') },
    ({ vitals, baseline, findings }) => {
      const windows = [...new Set(gates.map(({ windowMs }) => windowMs))];
      const derived = gates.flatMap((gate) => {
        const seen = vitals[windows.indexOf(gate.windowMs)];
        return seen === undefined ? [] : [judgeGate(gate, seen, baseline)];
      });
      const names = [...new Set([...findings, ...derived].map(({ gate }) => gate))];
      const decisions = names.map((name) => {
        const [was, is] = [findings, derived].map((all) => all.find(({ gate }) => gate === name));
        return compared(`gate ${name}`, was, is, ({ state, because }) => `${state}: ${because}`);
      });
      return { decisions, path: { breached: derived.some(({ state }) => state === 'breach') } };
    },
  );

const trainingOf = (record: CycleRecord, { plan, challenger: given }: Settings): Step => {
  if (given !== undefined) return { decisions: [], path: { challenger: given } };
  const { outcome, challenger: before } = record.end;
  const asRecorded = { challenger: before ?? (outcome === 'rejected' ? null : undefined) };
  return stepOf('training', record.train, asRecorded, ({ challenger, seed, trials, space }) => {
    const counted = trials.slice(0, plan.training.trials);
    const astray = counted.findIndex((trial, at) => strays(trial, space, seed, counted.slice(0, at)));
    const found = best(counted);
    const id = found === counted[0] ? null : record.idOf(settingsOf(found.point, space));
    const nth = `trial ${counted.indexOf(found) + 1} of ${counted.length}`;
    const derived = astray < 0 ? { nth, id } : { nth: `trial ${astray + 1} is not what its search comes to`, id };
    const recorded = { nth: `trial ${trials.indexOf(best(trials)) + 1} of ${trials.length}`, id: challenger };
    const told = (one: typeof derived) => (one.id === null ? `${one.nth}: the champion` : `${one.nth}: ${one.id}`);
    return { decisions: [compared('training', recorded, derived, told)], path: { challenger: id } };
  });
};

/** A point that seed and history do not propose, or a best that scores no more than the best before it. */
const strays = ({ point, score, kept }: Trial, space: SearchSpace, seed: number, before: readonly Trial[]): boolean => {
  if (canonicalJson(propose(space, seed, before)) !== canonicalJson(point)) return true;
  return kept ? before.length > 0 && score <= best(before).score : before.length === 0;
};

const verdictOf = (record: CycleRecord): Step => {
  const passed = record.end.outcome !== 'rejected' || wentOn(record, 'approve', 'deploy');
  const asRecorded = { verdict: passed ? 'better' : 'not better' } as const;
  return stepOf('offline verdict', record.evaluate, asRecorded, ({ scores, seed, verdict, reasons, difference }) => {
    const champion = scores.map((score) => score.champion);
    const again = pairedDifference(
      champion,
      scores.map((score) => score.challenger),
      { seed },
    );
    const judged = judgeOffline(champion.length === 0 ? 0 : mean(champion), again);
    const told = (one: Pick<EvaluateRecord, 'verdict' | 'reasons'>) => `${one.verdict}: ${one.reasons.join('; ')}`;
    const decision = compared(
      'offline verdict',
      { verdict, reasons, difference },
      { ...judged, difference: again },
      told,
    );
    return { decisions: [decision], path: { verdict: judged.verdict, reasons: judged.reasons } };
  });
};

const approvalOf = (record: CycleRecord, { plan: { approval } }: Settings): Step => {
  const asked = record.done.includes('approve') || record.approvals.length > 0;
  if (approval === null) return { decisions: [], path: { approved: true } };
  const evaluated = record.evaluate !== null;
  if (!asked && !evaluated) return NOTHING;
  const quorum = approval.quorum ?? 1;
  const counted = new Set(record.approvals.filter(({ objection }) => objection === null).map(({ person }) => person));
  const approved = counted.size >= quorum;
  const who = [...counted].join(', ') || 'nobody';
  const refused = record.approvals.flatMap(({ person, objection }) => (objection ? [`${person}: ${objection}`] : []));
  const recorded = record.done.includes('approve');
  if (!asked && !wentOn(record, 'deploy')) return { decisions: [], path: { approved: false } };
  const decision = {
    what: 'approval',
    recorded: recorded ? 'approved' : 'not approved',
    derived: [`${approved ? 'approved' : 'not approved'} by ${who}, ${quorum} needed`, ...refused].join('; '),
    agrees: recorded === approved && refused.length === 0,
  };
  return { decisions: [decision], path: { approved } };
};

const watchOf = (record: CycleRecord, { plan }: Settings): Step => {
  const went = record.end.outcome === 'rolled back' ? 'degraded' : 'healthy';
  return stepOf('watch', record.watch, { watched: went }, ({ champion, challenger, state, reasons }) => {
    const { samples, maxDrop } = plan.watch;
    const judged = judgeWatch(champion, challenger, { samples, maxDrop, gates: plan.gates });
    const told = (one: Pick<Watching, 'state' | 'reasons'>) => `${one.state}: ${one.reasons.join('; ')}`;
    return {
      decisions: [compared('watch', { state, reasons }, judged, told)],
      path: { watched: judged.state, watchReasons: judged.reasons },
    };
  });
};

/** The last look, decided once more from its sums. What a person then said, or an abort, is a fact. */
const abOf = ({ ab = null }: CycleRecord): Step =>
  stepOf('A/B evaluation', ab, { ab: 'better' }, ({ plan, startedAt, outcome, finding, sums, looks }) => {
    const last = looks.at(-1);
    const path = { ab: outcome ?? undefined };
    if (finding === null || sums === null || last === undefined) return { decisions: [], path };
    const moment = { startedMs: Date.parse(startedAt), nowMs: Date.parse(last.at), share: last.share };
    const told = ({ decision, sentence }: AbFinding) => `${decision}: ${sentence}`;
    return { decisions: [compared('A/B evaluation', finding, decideAb(sums, plan, moment), told)], path };
  });

/** A canary looks at traffic that is gone: how it ended is a fact, and what follows from it is derived. */
const canaryOf = ({ canary = null, end }: CycleRecord): Step =>
  stepOf('canary', canary, { canary: end.outcome }, ({ outcome }) => ({ decisions: [], path: { canary: outcome } }));

/** What was recorded of one challenger says nothing about another. */
const sameChallenger = ({ train, evaluate }: CycleRecord, path: Path): Path => {
  const tried = evaluate?.kind === 'evidence' ? evaluate.evidence.challenger : undefined;
  const was = tried ?? (train?.kind === 'evidence' ? train.evidence.challenger : undefined);
  if (was === undefined || path.challenger === undefined || path.challenger === was) return path;
  return { breached: path.breached, challenger: path.challenger, reasons: [], watchReasons: [] };
};

const FROM_OUTSIDE: ReadonlySet<Outcome> = new Set(['aborted', 'killed', 'failed']);

const endOf = ({ end }: CycleRecord, course: Course): Decision => {
  const what = 'end';
  const recorded = `${end.outcome}: ${end.because}`;
  if ('ended' in course) {
    const same =
      course.ended === end.outcome && (course.challenger === end.challenger || FROM_OUTSIDE.has(end.outcome));
    return { what, recorded, derived: `${course.ended}: ${course.because}`, agrees: same };
  }
  const outside = FROM_OUTSIDE.has(end.outcome);
  const derived = `goes on to ${course.goesOnTo}${outside ? ', where it was stopped from outside' : ''}`;
  return { what, recorded, derived, agrees: outside };
};

/** Agreement is about all of it, not only about what is told. */
const compared = <T>(what: string, was: T | undefined, is: T | undefined, told: (one: T) => string): Decision => ({
  what,
  recorded: was === undefined ? 'nothing' : told(was),
  derived: is === undefined ? 'nothing' : told(is),
  agrees: canonicalJson(was ?? null) === canonicalJson(is ?? null),
});
