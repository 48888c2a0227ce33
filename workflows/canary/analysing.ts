/**
 * One analysis while it goes on: what is due is measured, and what it has come to is known after each look.
 *
 * 1. What cannot be read is an error among the measurements, not a failure of the workflow: the plan says how many end it.
 * 2. It keeps a tally of what it has seen and not the measurements, so that it may go on for months.
 */
import { isCancellation } from '@temporalio/workflow';
import type { Analysis, CanaryJudgement, CanaryWindow, Measure, Measurement } from '../../contracts/canary.ts';
import type { AnalysisMemory } from '../../contracts/canary-messages.ts';
import { type AnalysisHistory, compacted, outcomeAtEnd, outcomeOf } from '../../domain/canary/analysis.ts';
import { assess } from '../../domain/canary/assess.ts';
import { dueNow } from '../../domain/canary/due.ts';
import { reasonOf } from '../failure.ts';
import { canaryReads } from '../options.ts';

/** What one look found. */
export interface Look {
  readonly measurements: readonly Measurement[];
  readonly judgements: readonly CanaryJudgement[];
}
/** Where it went wrong. */
export interface Fault {
  /** Start of the earliest window that failed; ms. */
  readonly sinceMs: number;
  /** The champion fails by what the challenger failed by, where that is said without the champion. */
  readonly championToo: boolean;
}

export const begun = (name: string, analysis: Analysis): AnalysisMemory => ({
  name,
  startedAt: new Date().toISOString(),
  tally: null,
  ...outcomeOf(analysis, { measurements: [], judgements: [] }),
  evidence: null,
  excused: false,
});

export class Analysing {
  readonly #analysis: Analysis;
  #memory: AnalysisMemory;
  #fault: Fault | null = null;

  constructor(analysis: Analysis, memory: AnalysisMemory) {
    this.#analysis = analysis;
    this.#memory = memory;
  }

  get memory(): AnalysisMemory {
    return this.#memory;
  }

  get outcome(): AnalysisMemory['outcome'] {
    return this.#memory.outcome;
  }

  get fault(): Fault | null {
    return this.#fault;
  }

  /** Whether all that decides was tried at least once. */
  get hasLooked(): boolean {
    const { measures, judging } = this.#analysis;
    const { tally } = this.#memory;
    const tried = measures.filter(({ dryRun }) => !dryRun).map(({ name }) => tally?.measures[name]?.tried ?? 0);
    return [...tried, ...(judging ? [tally?.judging?.tried ?? 0] : [])].every((times) => times > 0);
  }

  /** What it comes to if it is stopped now. */
  get atEnd() {
    return outcomeAtEnd(this.#analysis, this.#history);
  }

  /** When something is measured again; null: never. */
  nextMs(nowMs: number): number | null {
    const { measures, judging, nextMs } = this.#due(nowMs);
    return measures.length > 0 || judging ? nowMs : nextMs;
  }

  /** null where nothing is due. */
  async look(window: CanaryWindow): Promise<Look | null> {
    const nowMs = Date.now();
    const due = this.#due(nowMs);
    if (due.measures.length === 0 && !due.judging) return null;
    const at = new Date(nowMs).toISOString();
    const here = { ...window, at };
    const [measurements, judgement] = await Promise.all([
      due.measures.length > 0 ? this.#measure(here, due.measures, at) : [],
      due.judging ? this.#judge(here, at) : null,
    ]);
    const look = { measurements, judgements: judgement ? [judgement] : [] };
    const history = { ...this.#history, ...look };
    this.#memory = {
      ...this.#memory,
      ...outcomeOf(this.#analysis, history),
      tally: compacted(this.#analysis, history).before ?? null,
    };
    if (this.outcome === 'failed' || this.outcome === 'error') this.#fault = this.#faultIn(look, window);
    return look;
  }

  /** Everything that was seen counts no more. */
  anew(): void {
    this.#beginAgain(0);
  }

  /** Goes on although it has come to no result: by its rhythm, as if it had only begun. */
  goOn(): void {
    const { measures, judging } = this.#analysis;
    const intervals = [...measures, ...(judging ? [judging] : [])].map(({ intervalMs }) => intervalMs);
    this.#beginAgain(intervals.length === 0 ? 0 : Math.min(...intervals));
  }

  excuse(): void {
    this.#memory = { ...this.#memory, excused: true };
  }

  #beginAgain(afterMs: number): void {
    const { name, excused } = this.#memory;
    const startedAt = new Date(Date.now() + afterMs).toISOString();
    this.#memory = { ...begun(name, this.#analysis), startedAt, excused };
  }

  get #history(): AnalysisHistory {
    const { tally } = this.#memory;
    return { measurements: [], judgements: [], ...(tally && { before: tally }) };
  }

  #due(nowMs: number) {
    return dueNow(this.#analysis, this.#history, Date.parse(this.#memory.startedAt), nowMs);
  }

  async #measure(window: CanaryWindow, measures: readonly Measure[], at: string): Promise<readonly Measurement[]> {
    const summary = `measure ${measures.map(({ name }) => name).join(', ')}`;
    const found = await readable(() =>
      canaryReads.measureCanary.executeWithOptions({ summary }, [{ ...window, measures }]),
    );
    const unread = 'error' in found ? found.error : 'it was left out of what was measured';
    const all = 'error' in found ? [] : found.read;
    return measures.map(
      ({ name }) => all.find((one) => one.name === name) ?? { name, at, result: null, baseline: null, error: unread },
    );
  }

  async #judge(window: CanaryWindow, at: string): Promise<CanaryJudgement> {
    const judging = this.#analysis.judging;
    if (!judging) throw new Error('unreachable: nothing is judged without a judge');
    const found = await readable(() =>
      canaryReads.judgeCanary.executeWithOptions({ summary: 'judge' }, [{ ...window, judging }]),
    );
    if ('error' in found) return { outcome: 'error', score: null, because: found.error, metrics: [], at };
    const { evidence, ...judgement } = found.read;
    this.#memory = { ...this.#memory, evidence };
    return { at, ...judgement };
  }

  #faultIn({ measurements, judgements }: Look, { since }: CanaryWindow): Fault {
    const sinceMs = Date.parse(since);
    const failing = this.#analysis.measures.flatMap((measure) =>
      measurements
        .filter((one) => one.name === measure.name && isFault(assess(measure, one)))
        .map((one) => ({ measure, one })),
    );
    const judged = judgements.some(({ outcome }) => isFault(outcome)) ? [sinceMs] : [];
    const starts = failing.map(({ measure, one }) => Math.max(sinceMs, Date.parse(one.at) - measure.windowMs));
    return {
      sinceMs: Math.min(...judged, ...starts, ...(judged.length + starts.length === 0 ? [Date.now()] : [])),
      championToo: failing.some(({ measure, one }) => failsToo(measure, one)),
    };
  }
}

const isFault = (outcome: string): boolean => outcome === 'failed' || outcome === 'error';

const failsToo = (measure: Measure, one: Measurement): boolean => {
  const { success, failure } = measure;
  if (`${success} ${failure}`.includes('baseline') || one.baseline === null || one.baseline.value === null)
    return false;
  return assess(measure, { ...one, result: one.baseline }) === 'failed' && assess(measure, one) === 'failed';
};

const readable = async <T>(read: () => Promise<T>): Promise<{ read: T } | { error: string }> => {
  try {
    return { read: await read() };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { error: reasonOf(error) };
  }
};
