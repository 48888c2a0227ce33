/**
 * A canary's state and handlers; the process itself stands in canary-promotion.ts.
 *
 * 1. It ends exactly once. What stops it from outside (abort, undo, kill, a cancellation) cancels its body; a promotion
 *    that has taken effect is its end, whatever comes after.
 * 2. Unless its end is a promotion, what it moved is put back before anything else is done.
 * 3. What is refused by a kill or a later promotion is not tried again: the traffic is somebody else's by then.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { CanaryStep } from '../../contracts/canary.ts';
import * as canary from '../../contracts/canary-messages.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { Refusal, StateAnswer } from '../../contracts/traffic.ts';
import { Notices } from '../cycle/notices.ts';
import { Signatures } from '../cycle/signatures.ts';
import { reasonOf } from '../failure.ts';
import { accepted, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { canaryWrites, store } from '../options.ts';
import { askHooks } from './hooks.ts';
import { Journal } from './journal.ts';
import { freshMemory } from './memory.ts';
import { Observation, type Turn } from './observation.ts';
import { Questions } from './questions.ts';
import { Route } from './route.ts';
import { sentenceOf, stepName } from './steps.ts';

export class Canary {
  readonly route: Route;
  readonly observation: Observation;
  readonly #input: canary.CanaryInput;
  readonly #journal: Journal;
  readonly #signatures: Signatures;
  readonly #questions: Questions;
  readonly #notices: Notices;
  readonly #mutex = new Mutex();
  readonly #body = new CancellationScope();
  #memory: Pick<canary.CanaryMemory, 'step' | 'paused' | 'recent' | 'detectable' | 'skipped'>;
  #stopped: canary.CanaryEnd | null = null;
  #settled: canary.CanaryEnd | null = null;
  #ending = false;
  #end: canary.CanaryEnd | null = null;

  constructor(input: canary.CanaryInput) {
    const { trial, notify = false, memory = freshMemory(trial) } = input;
    const { service, cycle, requestedBy } = trial;
    this.#input = input;
    this.#memory = memory;
    this.#journal = new Journal(memory.reports);
    this.route = new Route(trial, memory.traffic);
    const command = (action: string) => `pawl canary ${action} ${cycle} --print`;
    this.#signatures = new Signatures({ service, cycle, requestedBy, command }, memory.uses);
    this.#questions = new Questions(this.#signatures, memory);
    this.#notices = new Notices({ service, cycle, plan: { notify } });
    const parts = { journal: this.#journal, route: this.route, questions: this.#questions, notices: this.#notices };
    this.observation = new Observation(input, parts, memory);
    this.#listen();
  }

  /** Runs the process; null: it is to go on in a new run of the workflow. */
  async toItsEnd(process: () => Promise<Turn>): Promise<canary.CanaryEnd | null> {
    const turn = await this.#run(process);
    return CancellationScope.nonCancellable(async () => {
      if (turn !== 'anew') return this.#finish(turn);
      await this.#notices.settled();
      await condition(allHandlersFinished);
      // What stopped it while it waited for that must not be lost on the way to the next run.
      const stopped = this.#stopped ?? (this.#body.consideredCancelled ? CANCELLED : null);
      return stopped && this.#finish(stopped);
    });
  }

  /** Once, however often the workflow continues as new. `note` says what came of it. */
  async once(name: string, what: string, work: () => Promise<Turn>, note: () => string): Promise<Turn> {
    const report = this.#journal.begun(name);
    if (report?.endedAt) return 'on';
    if (!report) this.#journal.begin(name, what);
    const turn = await work();
    if (turn === 'on') this.#journal.finish('done', note());
    return turn;
  }

  /** Resolves when no person has paused it. */
  unpaused(before: string): Promise<Turn> {
    return this.observation.pass(null, () => !this.#memory.paused, `paused before ${before}`);
  }

  async step(nth: number, step: CanaryStep, take: () => Promise<Turn>): Promise<Turn> {
    const name = stepName(nth);
    if (!this.#journal.begun(name)) {
      const free = await this.unpaused(name);
      if (free !== 'on') return free;
      this.#journal.begin(name, sentenceOf(step));
      const { no } = await this.hooks('step', `${name}: ${sentenceOf(step)}`);
      if (no !== null) return ended('rolled back', no);
    }
    this.observation.begin(nth);
    const turn = await take();
    if (turn !== 'on') return turn;
    this.observation.begin(nth);
    const skipped = this.skipped(name);
    this.#journal.finish(skipped ? 'skipped' : 'done', skipped ? 'skipped by a person' : 'done');
    this.#memory = { ...this.#memory, step: nth + 1, skipped: null };
    return 'on';
  }

  skipped(name: string): boolean {
    return this.#memory.skipped === name;
  }

  startedMs(name: string): number {
    return Date.parse(this.#journal.begun(name)?.startedAt ?? '');
  }

  hooks(at: 'before' | 'step' | 'after', what: string) {
    return askHooks(this.#input.plan.hooks, at, what, this.#input.trial);
  }

  /** What is found out once, before the first step. */
  know(found: Partial<Pick<canary.CanaryMemory, 'recent' | 'detectable'>>): void {
    this.#memory = { ...this.#memory, ...found };
    if (this.#memory.detectable) this.#journal.detectable(this.#memory.detectable.sentence);
  }

  get recent(): boolean {
    return this.#memory.recent;
  }

  /** Index of the step that is taken now, or comes next. */
  get nth(): number {
    return this.#memory.step;
  }

  /** From here on this is the end, whatever still comes in. */
  settle(end: canary.CanaryEnd): canary.CanaryEnd {
    this.#settled = end;
    return end;
  }

  memory(): canary.CanaryMemory {
    return {
      ...this.#memory,
      ...this.observation.memory,
      ...this.#questions.memory,
      reports: this.#journal.reports,
      traffic: this.route.state,
      uses: this.#signatures.uses,
    };
  }

  async #run(process: () => Promise<Turn>): Promise<canary.CanaryEnd | 'anew'> {
    try {
      const turn = await this.#body.run(process);
      return turn === 'on' ? ended('rolled back', 'it came to no end') : turn;
    } catch (error) {
      return this.#stopped ?? (isCancellation(error) ? CANCELLED : ended('rolled back', reasonOf(error)));
    }
  }

  async #finish(end: canary.CanaryEnd): Promise<canary.CanaryEnd> {
    this.#ending = true;
    this.#questions.close();
    if (this.#journal.current) this.#journal.finish('failed', end.because);
    const known = end.outcome === 'promoted' ? await this.#readBack(end) : await this.#goBack(end);
    if (this.#journal.begun('before')) await this.hooks('after', `after: ${known.outcome}`);
    const final = { ...known, evidence: await this.#keep(known) };
    await this.#note(final);
    this.#journal.end(final);
    this.#end = final;
    await this.#notices.settled();
    await condition(allHandlersFinished);
    return final;
  }

  async #readBack(end: canary.CanaryEnd): Promise<canary.CanaryEnd> {
    const shown = await this.route.shows();
    return shown ? end : { ...end, because: `${end.because}; the router has not shown it yet` };
  }

  async #goBack(end: canary.CanaryEnd): Promise<canary.CanaryEnd> {
    if (!this.route.touched || (end.refusal && FENCED_OFF.has(end.refusal))) return end;
    this.#journal.begin('back', 'traffic as it was before');
    const answer = await this.route.back();
    if (answer.outcome === 'refused') {
      const because = `${end.because}; going back was refused: ${answer.why ?? answer.because}`;
      this.#journal.finish('failed', because);
      return { ...end, outcome: 'refused', because, refusal: answer.because };
    }
    const shown = await this.route.shows();
    this.#journal.finish(shown ? 'done' : 'failed', shown ? 'the router shows it' : 'the router has not shown it yet');
    const { fault } = this.observation;
    const failed = end.outcome === 'rolled back' && fault;
    return {
      ...end,
      ...(!shown && { because: `${end.because}; the router has not shown the champion yet` }),
      ...(failed && { faultToChampionMs: Date.now() - fault.sinceMs }),
      ...(failed && fault.championToo && { championBroken: true as const }),
    };
  }

  /** A canary that leaves no report has ended all the same. */
  async #keep(end: canary.CanaryEnd): Promise<canary.CanaryEnd['evidence']> {
    const { trial, plan } = this.#input;
    const { chart, judgements } = this.observation.memory;
    const { detectable } = this.#memory;
    const steps = this.#journal.reports.map((report) => ({ ...report }));
    const report = { trial, plan, detectable, end: { ...end }, steps, measurements: chart, judgements };
    return canaryWrites.keepCanary.executeWithOptions({ summary: 'keep the report' }, [report]).catch(() => null);
  }

  async #note(end: canary.CanaryEnd): Promise<void> {
    const { service, cycle } = this.#input.trial;
    const row = { key: `${workflowInfo().workflowId}/end`, service, cycle, kind: 'canary ended' };
    const actor = { kind: 'cycle', name: cycle };
    await store.note({ entries: [{ ...row, actor, reason: end.because, body: { ...end } }] });
  }

  #listen(): void {
    setHandler(canary.canaryStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#journal.refused(because);
    const stop = (what: string) => (message: unknown) => this.#stop(what, message);
    onMessage(messages.killSignal, messages.killUpdate, stop('killed'), onRefusal);
    onMessage(messages.abortSignal, messages.abortUpdate, stop('aborted'), onRefusal);
    onMessage(canary.undoSignal, canary.undoUpdate, stop('undone'), onRefusal);
    onMessage(messages.pauseSignal, messages.pauseUpdate, () => this.#pause(), onRefusal);
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) =>
      inTurn(this.#mutex, async (message) => (this.#ending ? refused(this.#over) : handle(message)));
    const resume = turn((message) => this.#resume(message));
    onMessage(messages.resumeSignal, messages.resumeUpdate, resume, onRefusal);
    const skip = turn((message) => this.#skip(message));
    onMessage(messages.skipSignal, messages.skipUpdate, skip, onRefusal);
    const promote = turn((message) => this.#questions.promote(message));
    onMessage(canary.promoteSignal, canary.promoteUpdate, promote, onRefusal);
    const retry = turn((message) => this.#questions.retry(message));
    onMessage(canary.retrySignal, canary.retryUpdate, retry, onRefusal);
    setDefaultSignalHandler((name) => onRefusal(`${name}: a canary knows no such message`));
  }

  #stop(what: string, message: unknown): messages.Answer {
    if (this.#settled || this.#ending) return refused(this.#over);
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= ended('aborted', `${what}: ${reason} (${by})`);
    this.#body.cancel();
    return accepted('aborted: what it moved is put back, unless its promotion has taken effect');
  }

  get #over(): string {
    const { cycle } = this.#input.trial;
    return this.#settled
      ? `the promotion has taken effect; \`pawl canary undo ${cycle}\` tells the watch that comes after it to go back`
      : 'the canary has come to its end already';
  }

  #pause(): messages.Answer {
    if (this.#ending) return refused(this.#over);
    this.#memory = { ...this.#memory, paused: true };
    return accepted('paused: no further step is taken until a signed resume; measuring goes on');
  }

  async #resume(message: unknown): Promise<messages.Answer> {
    const verified = await this.#signatures.verify(message, 'resume');
    if (!verified.claims) return refused(verified.because);
    this.#memory = { ...this.#memory, paused: false };
    return accepted('resumed');
  }

  async #skip(message: unknown): Promise<messages.Answer> {
    const why = this.#whyNotSkip();
    if (why !== null) return refused(why);
    const step = stepName(this.#memory.step);
    const verified = await this.#signatures.verify(message, 'skip', { step, variant: null, evidence: null });
    if (!verified.claims) return refused(verified.because);
    const late = step === this.#journal.current?.step ? this.#whyNotSkip() : `${step} was over meanwhile`;
    if (late !== null) return refused(late);
    this.#memory = { ...this.#memory, skipped: step };
    return accepted(`the rest of ${step} is skipped`);
  }

  #whyNotSkip(): string | null {
    if (this.#questions.asked) return `${this.#questions.asked.step} waits for a person: promote it, or abort`;
    const step = this.#input.plan.steps[this.#memory.step];
    const isNow = this.#journal.current?.step === stepName(this.#memory.step);
    const takesTime = step !== undefined && ('pauseMs' in step || 'analysis' in step);
    return isNow && takesTime ? null : 'only a pause or an analysis can be skipped, and it does neither now';
  }

  #status(): canary.CanaryStatus {
    const { trial, plan } = this.#input;
    const { service, cycle, environment, champion, challenger } = trial;
    const { inline, background, chart, judgements } = this.observation.memory;
    return {
      ...{ service, cycle, workflowId: workflowInfo().workflowId, environment, champion, challenger },
      plan: plan.steps.map(sentenceOf),
      steps: this.#journal.reports,
      step: this.#journal.current?.step ?? null,
      paused: this.#memory.paused,
      weight: this.route.weight,
      mirror: this.route.state.mirror,
      twin: this.route.state.twin,
      arms: this.route.arms,
      analyses: [inline, background]
        .filter((one) => one !== null)
        .map(({ name, startedAt, outcome, because }) => ({ name, startedAt, outcome, because })),
      measurements: chart,
      judgements,
      waitsFor: this.#questions.asked,
      detectable: this.#memory.detectable,
      end: this.#end,
    };
  }
}

export const ended = (outcome: canary.CanaryOutcome, because: string): canary.CanaryEnd => ({
  ...{ outcome, because, evidence: null },
});
export const refusedEnd = (what: string, { because, why }: Extract<StateAnswer, { outcome: 'refused' }>) => ({
  ...ended('refused', `${what} was refused: ${why ?? because}`),
  refusal: because,
});

const CANCELLED = ended('aborted', 'the workflow was cancelled in Temporal');
/** By a kill, or by a promotion that came later. */
const FENCED_OFF: ReadonlySet<Refusal> = new Set(['killed', 'stale epoch', 'stale promotion'] as const);
