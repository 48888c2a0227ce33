/**
 * A cycle's state and handlers; the process itself stands in improvement-cycle.ts.
 *
 * 1. A cycle ends exactly once. What stops it from outside (kill, abort) cancels its body; a promotion that has taken
 *    effect is its end, whatever comes after.
 * 2. Traffic changes are never cancelled half-way: whether one took effect is known before anything else happens.
 * 3. What was registered to be undone is undone, newest first, whenever the end is not a promotion.
 */
import {
  CancellationScope,
  condition,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { guardianId } from '../../contracts/ids.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import type { Usage } from '../../contracts/stages.ts';
import type { Refusal } from '../../contracts/traffic.ts';
import { withUsage } from '../../domain/usage.ts';
import { reasonOf } from '../failure.ts';
import { accepted, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';
import { Approvals, type Decision, type Subject } from './approvals.ts';
import { Notices } from './notices.ts';
import { Promises } from './promises.ts';
import { seal } from './seal.ts';
import { ofCycle, Signatures } from './signatures.ts';
import { Timeline } from './timeline.ts';
import { work } from './work.ts';

/** What a kill has fenced off was killed, whether or not the cycle has been told. */
const BY_A_KILL: ReadonlySet<string> = new Set(['killed', 'stale epoch'] satisfies Refusal[]);

export class Cycle {
  readonly #input: messages.CycleInput;
  readonly #timeline = new Timeline();
  readonly #promises: Promises;
  readonly #signatures: Signatures;
  readonly #notices: Notices;
  readonly #approvals: Approvals;
  readonly #body = new CancellationScope();
  readonly #mutex = new Mutex();
  readonly #undo: Array<() => Promise<void>> = [];
  readonly #afterwards: Array<() => Promise<void>> = [];
  readonly #evidence: Partial<Record<Stage, ArtifactRef>> = {};
  #usage: Usage = {};
  #paused = false;
  #ending = false;
  #skipped: Stage | null = null;
  #stopped: messages.CycleEnd | null = null;
  #settled: messages.CycleEnd | null = null;
  #end: messages.CycleEnd | null = null;
  #laneFree = 0;

  constructor(input: messages.CycleInput) {
    this.#input = input;
    this.#promises = new Promises(input, this.#timeline);
    this.#signatures = new Signatures(ofCycle(input));
    this.#notices = new Notices(input);
    this.#approvals = new Approvals(input, this.#timeline, this.#signatures, this.#notices);
    setHandler(messages.cycleStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#timeline.refused(because);
    const { killSignal, killUpdate, abortSignal, abortUpdate, pauseSignal, pauseUpdate, rejectSignal, rejectUpdate } =
      messages;
    onMessage(killSignal, killUpdate, (message) => this.#stop('killed', message), onRefusal);
    onMessage(abortSignal, abortUpdate, (message) => this.#stop('aborted', message), onRefusal);
    onMessage(pauseSignal, pauseUpdate, () => this.#pause(), onRefusal);
    onMessage(rejectSignal, rejectUpdate, (message) => this.#approvals.reject(message), onRefusal);
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) => inTurn(this.#mutex, handle);
    onMessage(
      messages.approveSignal,
      messages.approveUpdate,
      turn((message) => this.#approvals.approve(message)),
      onRefusal,
    );
    onMessage(
      messages.resumeSignal,
      messages.resumeUpdate,
      turn((message) => this.#resume(message)),
      onRefusal,
    );
    onMessage(
      messages.skipSignal,
      messages.skipUpdate,
      turn((message) => this.#skip(message)),
      onRefusal,
    );
    setHandler(messages.laneFreeSignal, () => {
      this.#laneFree++;
    });
    setDefaultSignalHandler((name) => onRefusal(`${name}: a cycle knows no such message`));
  }

  /** Runs the process to its end, undoes what must be undone, and tells ledger and guardian. */
  async run(process: () => Promise<messages.CycleEnd>): Promise<messages.CycleEnd> {
    this.#promises.watch();
    let end: messages.CycleEnd;
    try {
      end = await this.#body.run(process);
    } catch (error) {
      end = isCancellation(error)
        ? (this.#stopped ?? this.ended('aborted', 'the workflow was cancelled in Temporal'))
        : this.ended('failed', reasonOf(error));
    }
    // A child that was stopped with its cycle comes to an end of its own; what stopped both is the cycle's.
    return CancellationScope.nonCancellable(() => this.#finish(this.#settled ?? this.#stopped ?? end));
  }

  async stage<R extends { readonly summary: string; readonly evidence?: ArtifactRef; readonly usage?: Usage }>(
    stage: Stage,
    work: () => Promise<R>,
  ): Promise<R> {
    await condition(() => !this.#paused || this.#ending);
    this.#timeline.begin(stage, 'running');
    try {
      const result = await work();
      if (result.evidence) this.#evidence[stage] = result.evidence;
      this.#usage = withUsage(this.#usage, result.usage);
      this.#timeline.finish(stage, 'done', result.summary);
      return result;
    } catch (error) {
      this.#timeline.finish(stage, 'failed', isCancellation(error) ? 'stopped' : reasonOf(error));
      throw error;
    }
  }

  /** Asks people, unless the plan asks nobody. What is approved is this variant on this evidence, nothing else. */
  async approval(step: Stage, subject: Subject): Promise<Decision> {
    const { approval } = this.#input.plan;
    if (approval === null) return { decision: 'approved', by: 'nobody', reason: 'the plan asks nobody' };
    await condition(() => !this.#paused);
    return this.#approvals.ask(step, subject, approval);
  }

  /** Waits, in the stage that it names, until the time is over or a person skips the rest of it. */
  async pass(stage: Stage, ms: number): Promise<'passed' | 'skipped'> {
    const skipped = await condition(() => this.#skipped === stage, ms, { summary: `${stage}: until the next look` });
    return skipped ? 'skipped' : 'passed';
  }

  /** Resolves when the guardian hints that the lane is free, or after a while in case the hint was lost. */
  async laneMayBeFree(): Promise<void> {
    const seen = this.#laneFree;
    await condition(() => this.#laneFree > seen, 30_000, { summary: 'waiting for the traffic lane' });
  }

  /** To be called before the step that it undoes. */
  undoing(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  /** To be done once the cycle has ended and its lane is free. */
  afterwards(work: () => Promise<void>): void {
    this.#afterwards.push(work);
  }

  /** From here on this is the end, whatever still comes in. */
  settle(end: messages.CycleEnd): messages.CycleEnd {
    this.#settled = end;
    return end;
  }

  ended(outcome: messages.Outcome, because: string, challenger: string | null = null): messages.CycleEnd {
    return { outcome, because, challenger, champion: outcome === 'promoted' ? challenger : this.#input.champion };
  }

  refused(what: string, because: string, challenger: string): messages.CycleEnd {
    return this.ended(BY_A_KILL.has(because) ? 'killed' : 'failed', `${what} was refused: ${because}`, challenger);
  }

  async #finish(end: messages.CycleEnd): Promise<messages.CycleEnd> {
    this.#ending = true;
    if (end.outcome !== 'promoted') for (const undo of this.#undo.reverse()) await undo();
    await this.#learn(end);
    this.#promises.settle();
    this.#timeline.end(end);
    const { service, cycle } = this.#input;
    const left = { end, evidence: this.#evidence, approvals: this.#approvals.given };
    const sealing = await seal(this.#input, this.#timeline, left);
    await store.note({
      entries: [
        {
          key: `${workflowInfo().workflowId}/end`,
          service,
          cycle,
          kind: 'cycle ended',
          actor: { kind: 'cycle', name: cycle },
          reason: end.because,
          body: {
            ...end,
            evidence: this.#evidence,
            promises: this.#promises.reports(),
            approvals: this.#approvals.given,
            usage: this.#usage,
            ...sealing,
          },
        },
      ],
    });
    // Whoever asks hears of the end once the ledger has it.
    this.#end = end;
    await tell(guardianId(service), messages.reportSignal, { cycle, end });
    for (const work of this.#afterwards) await work().catch((error) => this.#timeline.refused(reasonOf(error)));
    this.#notices.ended(end);
    await this.#notices.settled();
    await condition(() => this.#mutex.idle);
    return end;
  }

  /** What was seen and tried, and how it ended, is remembered; failing to shows in the timeline and is not the cycle's failure. */
  async #learn({ outcome, because, challenger }: messages.CycleEnd): Promise<void> {
    if (this.#stopped || outcome === 'failed' || outcome === 'killed') return;
    const { evaluate, watch } = this.#evidence;
    const canary = this.#timeline.stages.find(({ stage }) => stage === 'canary');
    const lesson = {
      ...{ outcome, because, challenger, evaluation: evaluate ?? null, watching: watch ?? null },
      ...(canary && { servedSince: canary.startedAt }),
    };
    await this.stage('learn', () => work(this.#input, 'learn', lesson)).catch(() => undefined);
  }

  #stop(outcome: 'killed' | 'aborted', message: unknown): messages.Answer {
    if (this.#settled || this.#ending) return refused('the cycle has come to its end already');
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= this.ended(outcome, `${reason} (${by})`);
    this.#body.cancel();
    return accepted(`${outcome}: what it moved is put back`);
  }

  #pause(): messages.Answer {
    this.#paused = true;
    return accepted('paused before the next stage, until a signed resume');
  }

  async #resume(message: unknown): Promise<messages.Answer> {
    const verified = await this.#signatures.verify(message, 'resume');
    if (!verified.claims) return refused(verified.because);
    this.#paused = false;
    return accepted('resumed');
  }

  async #skip(message: unknown): Promise<messages.Answer> {
    const stage = this.#timeline.current;
    if (stage !== 'watch') return refused('only watching can be skipped, and the cycle is not watching now');
    const bound = { step: stage, variant: null, evidence: null };
    const verified = await this.#signatures.verify(message, 'skip', bound);
    if (!verified.claims) return refused(verified.because);
    this.#skipped = stage;
    return accepted('the rest of the watching is skipped; what was seen until now decides');
  }

  #status(): messages.CycleStatus {
    return {
      service: this.#input.service,
      cycle: this.#input.cycle,
      workflowId: workflowInfo().workflowId,
      environment: this.#input.plan.environment,
      stage: this.#timeline.current,
      paused: this.#paused,
      approval: this.#approvals.request,
      approvals: this.#approvals.given,
      stages: this.#timeline.stages,
      promises: this.#promises.reports(),
      end: this.#end,
    };
  }
}
