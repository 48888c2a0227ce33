/** What an evaluation remembers, and what follows from it. */
import type { AbExpectation, AbFinding, AbPlan, AbPoint } from '../../contracts/ab.ts';
import type { AbMemory } from '../../contracts/ab-messages.ts';
import type { Trial } from '../../contracts/trial.ts';
import { spoken } from '../../domain/ab/sentence.ts';
import type { Look, Terms } from './data.ts';

/** Enough for a chart; every history that continues another holds it once. */
const MOST_POINTS = 120;
const DAY = 86_400_000;

/** As gateway and query log name it. */
export const experimentOf = ({ token }: Trial): string => `${token.epoch}.${token.promotion}`;

export const fresh = (terms: Terms, nowMs: number): AbMemory => ({
  ...terms,
  startedMs: nowMs,
  ...{ phase: 0, phaseSinceMs: nowMs, shifts: 0, uses: 0, paused: false, wanted: false },
  ...{ sums: null, finding: null, looked: 0, lookedMs: null, looks: [], trouble: null, question: null },
});

export const shareIn = ({ ramp }: AbPlan, phase: number): number => ramp[phase] ?? ramp.at(-1) ?? 0;

/** When the phase has lasted long enough; null in the last one. */
const phaseEnds = ({ plan, phase, phaseSinceMs }: AbMemory): number | null =>
  phase < plan.ramp.length - 1 ? phaseSinceMs + plan.phaseMs : null;

/**
 * Looks stand on a grid from the start on, so that one in between moves none of them; and one is taken when the challenger
 * could get more, so that it gets it on what is known then.
 */
export const nextLookMs = (memory: AbMemory, nowMs: number): number => {
  const { startedMs, plan } = memory;
  const grid = startedMs + plan.lookMs * (Math.floor((nowMs - startedMs) / plan.lookMs) + 1);
  const phase = phaseEnds(memory);
  return phase !== null && phase > nowMs ? Math.min(grid, phase) : grid;
};

/** Whether the challenger gets more after this look. Where it was not seen at all, nothing shows that it does no harm. */
export const rampsUp = (memory: AbMemory, { decision, subjects }: AbFinding, nowMs: number): boolean => {
  const ends = phaseEnds(memory);
  return decision === 'go on' && subjects.challenger > 0 && ends !== null && nowMs >= ends;
};

export const withLook = (memory: AbMemory, { sums, finding, nowMs, share }: Look): AbMemory => {
  const point = pointOf(memory.plan, finding, share, new Date(nowMs).toISOString());
  const looks = thinned([...memory.looks, point]);
  return { ...memory, sums, finding, looks, looked: memory.looked + 1, lookedMs: nowMs, trouble: null };
};

/** What is to be done where a look could not be taken: nothing, until its time is over. */
export const withoutLook = (
  { startedMs, plan, trouble }: AbMemory,
  nowMs: number,
): Pick<AbFinding, 'decision' | 'sentence'> => {
  const sentence = `The data cannot be read: ${trouble}`;
  if (nowMs < startedMs + plan.maximumMs) return { decision: 'go on', sentence };
  return { decision: plan.undecided, sentence: `Its time is over and nothing is decided. ${sentence}` };
};

const thinned = (looks: readonly AbPoint[]): readonly AbPoint[] =>
  looks.length <= MOST_POINTS ? looks : looks.filter((_, at) => at % 2 === 0 || at === looks.length - 1);

const pointOf = (plan: AbPlan, finding: AbFinding, share: number, at: string): AbPoint => ({
  at,
  share,
  gain: finding.estimates.find(({ metric }) => metric === plan.metric)?.relative ?? null,
  subjects: finding.subjects.champion + finding.subjects.challenger,
  decision: finding.decision,
});

/** Said before the first subject is dealt: how long it will take, and whether it may take so long. */
export const outlookOf = ({ maximumMs, undecided }: AbPlan, expectation: AbExpectation | null): string => {
  if (expectation === null) return 'How long it takes could not be told.';
  const { sentence, days } = expectation;
  if (days !== null && days * DAY <= maximumMs) return sentence;
  const then = undecided === 'ask' ? 'then a person is asked' : 'then the champion stays';
  return `${sentence} It may take ${spoken(maximumMs)}, so it will most likely end undecided: ${then}.`;
};
