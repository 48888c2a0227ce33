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
import { restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { reasonOf } from '../failure.ts';
import { accepted, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';
import { Promises } from './promises.ts';
import { Timeline } from './timeline.ts';
import { work } from './work.ts';

type Decision =
  | { readonly decision: 'approved'; readonly by: string; readonly reason: string }
  | { readonly decision: 'rejected' | 'expired'; readonly by: string; readonly reason: string };

export class Cycle {
  readonly #input: messages.CycleInput;
  readonly #timeline = new Timeline();
  readonly #promises: Promises;
  readonly #body = new CancellationScope();
  readonly #mutex = new Mutex();
  readonly #undo: Array<() => Promise<void>> = [];
  readonly #evidence: Partial<Record<Stage, ArtifactRef>> = {};
  #paused = false;
  #ending = false;
  #approval: messages.ApprovalRequest | null = null;
  #decision: Decision | null = null;
  #skipped: Stage | null = null;
  #stopped: messages.CycleEnd | null = null;
  #settled: messages.CycleEnd | null = null;
  #end: messages.CycleEnd | null = null;
  #laneFree = 0;
  #uses = 0;

  constructor(input: messages.CycleInput) {
    this.#input = input;
    this.#promises = new Promises(input, this.#timeline);
    setHandler(messages.cycleStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#timeline.refused(because);
    const { killSignal, killUpdate, abortSignal, abortUpdate, pauseSignal, pauseUpdate, rejectSignal, rejectUpdate } =
      messages;
    onMessage(killSignal, killUpdate, (message) => this.#stop('killed', message), onRefusal);
    onMessage(abortSignal, abortUpdate, (message) => this.#stop('aborted', message), onRefusal);
    onMessage(pauseSignal, pauseUpdate, () => this.#pause(), onRefusal);
    onMessage(rejectSignal, rejectUpdate, (message) => this.#reject(message), onRefusal);
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) => inTurn(this.#mutex, handle);
    onMessage(
      messages.approveSignal,
      messages.approveUpdate,
      turn((message) => this.#approve(message)),
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
    return CancellationScope.nonCancellable(() => this.#finish(this.#settled ?? end));
  }

  async stage<R extends { readonly summary: string; readonly evidence?: ArtifactRef }>(
    stage: Stage,
    work: () => Promise<R>,
  ): Promise<R> {
    await condition(() => !this.#paused || this.#ending);
    this.#timeline.begin(stage, 'running');
    try {
      const result = await work();
      if (result.evidence) this.#evidence[stage] = result.evidence;
      this.#timeline.finish(stage, 'done', result.summary);
      return result;
    } catch (error) {
      this.#timeline.finish(stage, 'failed', isCancellation(error) ? 'stopped' : reasonOf(error));
      throw error;
    }
  }

  /** Asks a person, unless the plan asks nobody. What is approved is this variant on this evidence, nothing else. */
  async approval(step: Stage, subject: { variant: string; evidence: string; summary: string }): Promise<Decision> {
    const { approval } = this.#input.plan;
    if (approval === null) return { decision: 'approved', by: 'nobody', reason: 'the plan asks nobody' };
    await condition(() => !this.#paused);
    this.#decision = null;
    this.#approval = { ...subject, step, expiresAt: new Date(Date.now() + approval.expiresMs).toISOString() };
    this.#timeline.begin(step, 'waiting');
    this.#timeline.waitFor(this.#approval, this.#input.cycle);
    await condition(() => this.#decision !== null, approval.expiresMs, { summary: 'approval expires' });
    const decided = this.#decision ?? expired;
    this.#approval = null;
    this.#timeline.finish(
      step,
      decided.decision === 'approved' ? 'done' : 'failed',
      `${decided.decision} by ${decided.by}: ${decided.reason}`,
    );
    return decided;
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

  /** From here on this is the end, whatever still comes in. */
  settle(end: messages.CycleEnd): messages.CycleEnd {
    this.#settled = end;
    return end;
  }

  ended(outcome: messages.Outcome, because: string, challenger: string | null = null): messages.CycleEnd {
    return { outcome, because, challenger, champion: outcome === 'promoted' ? challenger : this.#input.champion };
  }

  async #finish(end: messages.CycleEnd): Promise<messages.CycleEnd> {
    this.#ending = true;
    if (end.outcome !== 'promoted') for (const undo of this.#undo.reverse()) await undo();
    await this.#learn(end);
    this.#end = end;
    this.#promises.settle();
    this.#timeline.end(end);
    const { service, cycle } = this.#input;
    await store.note({
      entries: [
        {
          key: `${workflowInfo().workflowId}/end`,
          service,
          cycle,
          kind: 'cycle ended',
          actor: { kind: 'cycle', name: cycle },
          reason: end.because,
          body: { ...end, evidence: this.#evidence, promises: this.#promises.reports() },
        },
      ],
    });
    await tell(guardianId(service), messages.reportSignal, { cycle, end });
    await condition(() => this.#mutex.idle);
    return end;
  }

  /** What was seen and tried, and how it ended, is remembered; failing to shows in the timeline and is not the cycle's failure. */
  async #learn({ outcome, because, challenger }: messages.CycleEnd): Promise<void> {
    if (this.#stopped || outcome === 'failed' || outcome === 'killed') return;
    const { evaluate, watch } = this.#evidence;
    const lesson = { outcome, because, challenger, evaluation: evaluate ?? null, watching: watch ?? null };
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

  #reject(message: unknown): messages.Answer {
    if (!this.#approval || this.#decision) return refused('nothing waits for a decision now');
    const { by, reason } = restrictionOf(message);
    this.#decision = { decision: 'rejected', by, reason };
    return accepted('rejected');
  }

  async #approve(message: unknown): Promise<messages.Answer> {
    const waiting = this.#approval;
    if (!waiting || this.#decision) return refused('nothing waits for a decision now');
    const { claims, because } = await this.#verify(message, 'approve', waiting);
    if (!claims) return refused(because);
    if (this.#approval !== waiting || this.#decision) return refused('the decision was made meanwhile');
    this.#decision = { decision: 'approved', by: `${claims.person} (${claims.role})`, reason: claims.reason };
    return accepted('approved');
  }

  async #resume(message: unknown): Promise<messages.Answer> {
    const { claims, because } = await this.#verify(message, 'resume', null);
    if (!claims) return refused(because);
    this.#paused = false;
    return accepted('resumed');
  }

  async #skip(message: unknown): Promise<messages.Answer> {
    const stage = this.#timeline.current;
    if (stage !== 'watch') return refused('only watching can be skipped, and the cycle is not watching now');
    const { claims, because } = await this.#verify(message, 'skip', { step: stage, variant: null, evidence: null });
    if (!claims) return refused(because);
    this.#skipped = stage;
    return accepted('the rest of the watching is skipped; what was seen until now decides');
  }

  async #verify(
    message: unknown,
    action: 'approve' | 'resume' | 'skip',
    bound: { step: Stage; variant: string | null; evidence: string | null } | null,
  ) {
    const token = tokenOf(message);
    if (token === null)
      return {
        claims: null,
        because: `${action} needs a signed token: \`pawl cycle ${action} ${this.#input.cycle} --print\` makes one`,
      };
    const workflow = workflowInfo().workflowId;
    const { step, variant, evidence } = bound ?? { step: null, variant: null, evidence: null };
    const answer = await store.verifyToken({
      token,
      action,
      workflow,
      step,
      variant,
      evidence,
      key: `${workflow}/${action}/${++this.#uses}`,
    });
    return answer.valid ? { claims: answer.claims, because: '' } : { claims: null, because: answer.because };
  }

  #status(): messages.CycleStatus {
    return {
      service: this.#input.service,
      cycle: this.#input.cycle,
      workflowId: workflowInfo().workflowId,
      environment: this.#input.plan.environment,
      stage: this.#timeline.current,
      paused: this.#paused,
      approval: this.#approval,
      stages: this.#timeline.stages,
      promises: this.#promises.reports(),
      end: this.#end,
    };
  }
}

const expired: Decision = { decision: 'expired', by: 'nobody', reason: 'no decision came in time' };
