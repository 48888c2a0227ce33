/**
 * What a look at an evaluation means.
 *
 * 1. The first rule of RULES that has something to say decides; whatever none of them decides goes on.
 * 2. Promoted is only what is missing nothing (missing.ts): no interval that is too wide, no guardrail that is not known.
 * 3. Every claim of harm is corrected for how many are looked at (Holm). That every guardrail is intact is no such choice:
 *    all of them must hold, so each is held against alpha itself (Berger 1982).
 */
import type { AbDecision, AbFinding, AbPlan, AbSums } from '../../contracts/ab.ts';
import { holm } from '../statistics/multiple-tests.ts';
import { MISMATCH, sampleRatioP } from '../statistics/sample-ratio.ts';
import { type Compared, compared, estimateOf, harmP, sequenceWidth } from './estimate.ts';
import { groupLook } from './group-looks.ts';
import { missing } from './missing.ts';
import { nameOf, percent, sentenceOf } from './sentence.ts';

export interface Clock {
  readonly startedMs: number;
  readonly nowMs: number;
  /** Present share of the challenger. */
  readonly share: number;
}

/** Everything that a rule may look at. */
export interface View {
  readonly plan: AbPlan;
  readonly clock: Clock;
  readonly sums: AbSums;
  readonly metric: Compared;
  readonly guardrails: ReadonlyArray<Compared & { readonly margin: number }>;
  readonly sampleRatioP: number | null;
  readonly enrolled: { readonly champion: number; readonly challenger: number };
  /** Whether this look is one of those at which success may be claimed. */
  readonly counts: boolean;
}

/** From so many crossed subjects on, and from this share of all of them on, what was measured is of neither arm. */
const CROSSED = { atLeast: 10, share: 0.01 } as const;

interface Rule {
  readonly name: string;
  readonly decision: (view: View) => AbDecision;
  /** Null where the rule has nothing to say. */
  readonly because: (view: View) => readonly string[] | null;
}

export const RULES: readonly Rule[] = [
  {
    name: 'subjects came as they were dealt',
    decision: () => 'void',
    because: ({ sampleRatioP: p, enrolled: { champion, challenger } }) =>
      p !== null && p < MISMATCH
        ? [
            `${champion} and ${challenger} subjects are no even deal (p = ${p.toExponential(1)}): some were lost on the way`,
          ]
        : null,
  },
  {
    name: 'hardly anybody saw both arms',
    decision: () => 'void',
    because: ({ sums: { crossed }, enrolled }) =>
      crossed >= CROSSED.atLeast && crossed >= CROSSED.share * (enrolled.champion + enrolled.challenger)
        ? [`${crossed} subjects were answered by both arms`]
        : null,
  },
  { name: 'no harm', decision: () => 'stop for harm', because: (view) => orNull(harms(view)) },
  {
    name: 'everything is shown',
    decision: () => 'promote',
    because: (view) => (missing(view).length === 0 ? ['everything that was asked for is shown'] : null),
  },
  {
    name: 'time is up',
    decision: ({ plan }) => (plan.undecided === 'ask' ? 'ask' : 'keep'),
    because: (view) => (view.clock.nowMs - view.clock.startedMs >= view.plan.maximumMs ? missing(view) : null),
  },
  { name: 'it takes longer', decision: () => 'go on', because: missing },
];

const orNull = (reasons: readonly string[]): readonly string[] | null => (reasons.length > 0 ? reasons : null);

const harms = ({ plan, metric, guardrails }: View): string[] => {
  const looked = [{ ...metric, margin: 0 }, ...guardrails].filter(
    ({ subjects }) => Math.min(subjects.champion, subjects.challenger) >= plan.fewest,
  );
  const ps = holm(looked.map((one) => harmP(one, one.margin, plan)));
  return looked.flatMap((one, n) =>
    (ps[n] ?? 1) <= plan.harmAlpha
      ? [
          `${nameOf(one.metric)} is ${percent(-(one.gain?.value ?? 0))} worse${one.margin > 0 ? `, and ${percent(one.margin)} is allowed` : ''}`,
        ]
      : [],
  );
};

export const decideAb = (sums: AbSums, plan: AbPlan, clock: Clock): AbFinding => {
  const { width, counts } = groupLook(plan, clock) ?? { width: sequenceWidth(plan, plan.alpha), counts: true };
  const enrolled = {
    champion: sums.phases.reduce((total, { champion }) => total + champion.enrolled, 0),
    challenger: sums.phases.reduce((total, { challenger }) => total + challenger.enrolled, 0),
  };
  const view: View = {
    ...{ plan, clock, sums, enrolled, counts },
    metric: compared(sums, plan.metric, width),
    guardrails: plan.guardrails.map(({ metric, margin }) => ({ ...compared(sums, metric, width), margin })),
    // As many of the champion's subjects are enrolled as of the challenger's, in every phase.
    sampleRatioP: sampleRatioP(
      sums.phases.map(({ champion, challenger }) => ({
        observed: [champion.enrolled, challenger.enrolled],
        expected: [1, 1],
      })),
    ),
  };
  const { decision, reasons } = ruled(view);
  return {
    decision,
    sentence: sentenceOf(view, decision, reasons),
    reasons,
    estimates: [view.metric, ...view.guardrails].map((one) => estimateOf(one, plan)),
    sampleRatioP: view.sampleRatioP,
    crossed: sums.crossed,
    subjects: enrolled,
  };
};

const ruled = (view: View): { readonly decision: AbDecision; readonly reasons: readonly string[] } => {
  for (const { decision, because } of RULES) {
    const reasons = because(view);
    if (reasons) return { decision: decision(view), reasons };
  }
  return { decision: 'go on', reasons: [] };
};
