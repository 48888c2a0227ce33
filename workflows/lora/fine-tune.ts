/**
 * A fine-tune's state and handlers; the process itself stands in lora-fine-tune.ts.
 *
 * 1. Training is a chain of legs. A leg begins from checkpoints and ends with one; between legs the history holds their
 *    references and the few numbers that are shown.
 * 2. What stops a leg from outside (abort, checkpointNow) cancels it, and a leg answers a cancellation with a checkpoint.
 *    A worker that is gone answers nothing: then its last heartbeat says what it had written.
 * 3. It ends exactly once, and what it ends with is enough to go on from. An adapter that is in the registry is its end,
 *    whatever comes after.
 */
import {
  CancellationScope,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type * as lora from '../../contracts/lora.ts';
import {
  checkpointNowSignal,
  checkpointNowUpdate,
  extendSignal,
  extendUpdate,
  type LoraEnd,
  type LoraOutcome,
  type LoraStatus,
  loraStatusQuery,
} from '../../contracts/lora-messages.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import { type Answer, abortSignal, abortUpdate } from '../../contracts/messages.ts';
import type { Usage } from '../../contracts/stages.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { continued } from '../../domain/loss-curve.ts';
import { bestOf, gainsNoMore, nextStop, secondsLeft, silenceMs, whyNotExtend } from '../../domain/training-course.ts';
import { withUsage } from '../../domain/usage.ts';
import { reasonOf } from '../failure.ts';
import { accepted, onMessage, refused } from '../messages.ts';
import { store, trainer } from '../options.ts';
import { Journal } from './journal.ts';
import { isSilence, progressIn } from './lost-leg.ts';

const CHECKPOINTS_KEPT = 2;

const fresh = (input: lora.LoraInput): lora.LoraMemory => ({
  reports: [],
  data: input.from?.data ?? null,
  checkpoints: input.from ? [{ checkpoint: input.from.checkpoint, step: input.from.step }] : [],
  best: null,
  steps: input.plan.steps,
  losses: [],
  metrics: [],
  stepsPerSecond: null,
});

export class FineTune {
  readonly #input: lora.LoraInput;
  readonly #journal: Journal;
  readonly #body = new CancellationScope();
  #memory: lora.LoraMemory;
  #leg: CancellationScope | null = null;
  #halted: string | null = null;
  #stopped: LoraEnd | null = null;
  #end: LoraEnd | null = null;

  constructor(input: lora.LoraInput) {
    this.#input = input;
    this.#memory = input.memory ?? fresh(input);
    this.#journal = new Journal(this.#memory.reports);
    setHandler(loraStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#journal.refused(because);
    onMessage(abortSignal, abortUpdate, (message) => this.#abort(message), onRefusal);
    onMessage(checkpointNowSignal, checkpointNowUpdate, () => this.#checkpointNow(), onRefusal);
    onMessage(extendSignal, extendUpdate, (message) => this.#extend(message), onRefusal);
    setDefaultSignalHandler((name) => onRefusal(`${name}: a fine-tune knows no such message`));
  }

  /** Runs the process; null: it is to go on in a new run of the workflow. */
  async toItsEnd(process: () => Promise<LoraEnd | null>): Promise<LoraEnd | null> {
    let end: LoraEnd | null;
    try {
      end = await this.#body.run(process);
    } catch (error) {
      end =
        this.#stopped ??
        (isCancellation(error)
          ? this.ended('aborted', 'the workflow was cancelled in Temporal')
          : this.ended('failed', reasonOf(error)));
    }
    return end && CancellationScope.nonCancellable(() => this.#finish(end));
  }

  async state<R>(state: lora.LoraState, work: () => Promise<R>, summary: (result: R) => string): Promise<R> {
    this.#journal.begin(state);
    try {
      const result = await work();
      this.#journal.finish(state, summary(result));
      return result;
    } catch (error) {
      this.#journal.finish(state, isCancellation(error) ? 'stopped' : reasonOf(error));
      throw error;
    }
  }

  begun(state: lora.LoraState): boolean {
    return this.#journal.reports.some((report) => report.state === state);
  }

  /** What is named here is not removed while it is trained on. */
  async noteStart(data: lora.PreparedData): Promise<void> {
    this.#memory = { ...this.#memory, data };
    const { base, config, plan, from } = this.#input;
    await this.#note('lora started', this.#input.requestedBy, this.#input.reason, {
      ...{ base, config, plan, data },
      ...(from && { from }),
    });
  }

  get data(): lora.PreparedData | null {
    return this.#memory.data;
  }

  get step(): number {
    return this.#memory.checkpoints[0]?.step ?? 0;
  }

  get totalSteps(): number {
    return this.#memory.steps;
  }

  get metrics(): readonly lora.MetricPoint[] {
    return this.#memory.metrics;
  }

  /** Why training is over; null while it is not. */
  get over(): string | null {
    const { steps, metrics } = this.#memory;
    const { patience } = this.#input.plan;
    if (this.#stopped) return this.#stopped.because;
    if (this.#halted) return this.#halted;
    if (this.step >= steps) return `all ${steps} steps are done`;
    return gainsNoMore(metrics, patience) ? `no gain in the last ${patience} evaluations` : null;
  }

  get stopped(): LoraEnd | null {
    return this.#stopped;
  }

  /** Set when training cannot go on: its loss is not a number any more. */
  get halted(): string | null {
    return this.#halted;
  }

  /** The best on the validation queries; the last where nothing was measured. */
  get result(): lora.Checkpointed | null {
    const { best, checkpoints } = this.#memory;
    const [last] = checkpoints;
    if (best) return { checkpoint: best.checkpoint, step: best.step };
    return last ?? null;
  }

  /** After so long a silence a worker of this fine-tune counts as lost. */
  get silenceMs(): number {
    return silenceMs(this.#input.heartbeatMs, this.#memory.stepsPerSecond);
  }

  used(usage: Usage | undefined): void {
    this.#memory = { ...this.#memory, usage: withUsage(this.#memory.usage ?? {}, usage) };
  }

  async leg(data: lora.PreparedData): Promise<void> {
    const { checkpoints, steps } = this.#memory;
    const [before, untilStep] = [this.step, nextStop(this.step, steps, this.#input.plan)];
    const order = { input: bare(this.#input), data, from: checkpoints, untilStep, totalSteps: steps };
    const scope = new CancellationScope();
    this.#leg = scope;
    try {
      this.#learn(
        await scope.run(() => trainer(`steps ${before + 1} to ${untilStep}`, this.silenceMs).trainLora(order)),
      );
    } catch (error) {
      const left = progressIn(error);
      if (left) this.#keep(left.checkpoints, left.losses);
      // Only this leg was cancelled, to make it write a checkpoint, and its worker could not: the next one goes on.
      const asked = scope.consideredCancelled && !this.#body.consideredCancelled;
      const goesOn = asked ? isCancellation(error) || isSilence(error) : this.step > before;
      if (!goesOn) throw error;
    } finally {
      this.#leg = null;
    }
    this.#journal.tell(this.#picture());
  }

  memory(): lora.LoraMemory {
    return { ...this.#memory, reports: this.#journal.reports };
  }

  ended(outcome: LoraOutcome, because: string, left: Partial<LoraEnd> = {}): LoraEnd {
    return {
      ...{ outcome, because, model: null, card: null, evaluation: null },
      ...{ last: this.#memory.checkpoints[0] ?? null, data: this.#memory.data },
      ...left,
    };
  }

  async #finish(end: LoraEnd): Promise<LoraEnd> {
    // What the abort found is older than what the leg wrote in answer to it.
    const final =
      end === this.#stopped ? { ...end, last: this.#memory.checkpoints[0] ?? null, data: this.#memory.data } : end;
    this.#journal.end(final);
    // Of what was never allowed the policy's own row tells.
    if (final.outcome !== 'refused') await this.#noteEnd(final);
    this.#end = final;
    return final;
  }

  #noteEnd(end: LoraEnd): Promise<void> {
    const { losses, metrics, usage = {} } = this.#memory;
    const body = { ...end, loss: losses.at(-1)?.loss ?? null, metrics, usage };
    return this.#note('lora ended', { kind: 'lora', name: this.#input.id }, end.because, body);
  }

  async #note(kind: string, actor: Actor, reason: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const { service, id } = this.#input;
    const key = `${workflowInfo().workflowId}/${kind}`;
    await store.note({ entries: [{ key, service, cycle: null, kind, actor, reason, body: { run: id, ...body } }] });
  }

  #learn(leg: lora.TrainedLeg): void {
    const { checkpoint, step, metric, stopped } = leg;
    this.#keep([{ checkpoint, step }], leg.losses);
    this.used(leg.usage);
    const metrics = metric
      ? [...this.#memory.metrics.filter((one) => one.step < metric.step), metric]
      : this.#memory.metrics;
    const measured = metric ? { ...metric, checkpoint } : null;
    const best = bestOf([...(this.#memory.best ? [this.#memory.best] : []), ...(measured ? [measured] : [])]);
    this.#memory = { ...this.#memory, metrics, best, stepsPerSecond: leg.stepsPerSecond };
    if (stopped === 'not a number') this.#halted = leg.because ?? 'the loss is not a number any more';
  }

  #keep(newer: readonly lora.Checkpointed[], losses: readonly lora.LossPoint[]): void {
    const known = [...newer, ...this.#memory.checkpoints];
    const checkpoints = known
      .filter(({ checkpoint }, at) => known.findIndex((one) => one.checkpoint.sha256 === checkpoint.sha256) === at)
      .slice(0, CHECKPOINTS_KEPT);
    this.#memory = { ...this.#memory, checkpoints, losses: continued(this.#memory.losses, losses) };
  }

  #abort(message: unknown): Answer {
    if (this.begun('ended')) return refused('the fine-tune has come to its end already');
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= this.ended('aborted', `${reason} (${by})`);
    this.#body.cancel();
    return accepted('aborted: what was trained is kept in a checkpoint');
  }

  #checkpointNow(): Answer {
    if (!this.#leg) return refused('it does not train now, so there is nothing new to keep');
    this.#leg.cancel();
    return accepted('a checkpoint is written at the next step');
  }

  #extend(message: unknown): Answer {
    const { steps } = this.#memory;
    if (this.#journal.current !== 'training') return refused('only a fine-tune that trains can be extended');
    const more = typeof message === 'object' && message !== null && 'steps' in message ? message.steps : undefined;
    const because = whyNotExtend(more, steps, this.#input.mostSteps);
    if (because !== null) return refused(because);
    this.#memory = { ...this.#memory, steps: steps + (more as number) };
    this.#journal.tell(this.#picture());
    return accepted(`${this.#memory.steps} steps are planned now`);
  }

  #status(): LoraStatus {
    const { service, id } = this.#input;
    const { steps, losses, metrics, stepsPerSecond, best, checkpoints, usage } = this.#memory;
    return {
      ...{ service, id, state: this.#end ? 'ended' : (this.#journal.current ?? 'asking') },
      ...{ reports: this.#journal.reports, step: this.step, steps, losses, metrics, stepsPerSecond, best },
      secondsLeft: this.#end ? null : secondsLeft(this.step, steps, stepsPerSecond),
      checkpoint: checkpoints[0] ?? null,
      end: this.#end,
      ...(usage !== undefined && { usage }),
    };
  }

  #picture(): string {
    const { steps, losses, metrics, stepsPerSecond } = this.#memory;
    const left = secondsLeft(this.step, steps, stepsPerSecond);
    return [
      `step ${this.step} of ${steps}`,
      ...(losses.length > 0 ? [`loss ${losses[0]?.loss.toFixed(4)} → ${losses.at(-1)?.loss.toFixed(4)}`] : []),
      ...(metrics.length > 0 ? [`NDCG@10 on the validation queries ${metrics.at(-1)?.ndcg.toFixed(3)}`] : []),
      ...(left === null ? [] : [`about ${Math.ceil(left)} s left`]),
    ].join(', ');
  }
}

/** What an activity needs of the input: a token is spent once, and the memory is the workflow's own. */
export const bare = ({ memory: _, token: __, ...input }: lora.LoraInput): lora.LoraInput => input;
