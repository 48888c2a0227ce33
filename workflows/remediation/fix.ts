/**
 * A fix's state and handlers; the process itself stands in remediation.ts.
 *
 * 1. It ends exactly once. What stops it from outside (abort, kill) cancels its body, and undoes nothing: all that it does
 *    is a way back already.
 * 2. What it has done is noted before anything else is awaited, so that however it ends, its end says so.
 */
import {
  CancellationScope,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { guardianId } from '../../contracts/ids.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { NoticeType } from '../../contracts/notice.ts';
import type {
  FixCourse,
  FixEnd,
  FixInput,
  FixOutcome,
  FixPromise,
  FixStep,
  Remedy,
} from '../../contracts/remediation.ts';
import { type FixStatus, fixStatusQuery } from '../../contracts/remediation-messages.ts';
import type { Refusal } from '../../contracts/traffic.ts';
import type { GateFinding } from '../../contracts/vitals.ts';
import { promisesOf, symptomsOf } from '../../domain/remediation.ts';
import { Notices } from '../cycle/notices.ts';
import { reasonOf } from '../failure.ts';
import { accepted, onMessage, refused } from '../messages.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';
import { FixJournal } from './journal.ts';

/** The ends that somebody should hear of who was not asked. */
const NOTICES: Readonly<Partial<Record<FixOutcome, NoticeType>>> = {
  remedied: 'fix.remedied',
  asked: 'fix.asked',
  failed: 'fix.failed',
};

export class Fix {
  readonly #input: FixInput;
  readonly #journal: FixJournal;
  readonly #notices: Notices;
  readonly #body = new CancellationScope();
  readonly #startedAt = Date.now();
  #breaches: readonly GateFinding[];
  #course: FixCourse = { steps: [], passedOver: [], ask: null };
  #tried: FixEnd['tried'] = [];
  #champion: string;
  #stopped: FixEnd | null = null;
  #ending = false;
  #end: FixEnd | null = null;

  constructor(input: FixInput) {
    const { service, fix, champion, request } = input;
    this.#input = input;
    this.#champion = champion;
    this.#breaches = request.findings.filter(({ state }) => state === 'breach');
    this.#journal = new FixJournal(request);
    this.#notices = new Notices({ service, cycle: fix, plan: { notify: true } });
    setHandler(fixStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#journal.refused(because);
    const { abortSignal, abortUpdate, killSignal, killUpdate } = messages;
    onMessage(abortSignal, abortUpdate, (message) => this.#stop('aborted', message), onRefusal);
    onMessage(killSignal, killUpdate, (message) => this.#stop('killed', message), onRefusal);
    setDefaultSignalHandler((name) => onRefusal(`${name}: a fix knows no such message`));
  }

  async run(process: () => Promise<FixEnd>): Promise<FixEnd> {
    let end: FixEnd;
    try {
      end = await this.#body.run(process);
    } catch (error) {
      end = isCancellation(error)
        ? (this.#stopped ?? this.ended('aborted', 'the workflow was cancelled in Temporal'))
        : this.ended('failed', reasonOf(error));
    }
    return CancellationScope.nonCancellable(() => this.#finish(end));
  }

  step<R>(what: string, work: () => Promise<R>): Promise<R> {
    return this.#journal.during(what, work, () => 'done');
  }

  /** What is wrong, and what it means to do about it. */
  about(breaches: readonly GateFinding[], course: FixCourse): void {
    this.#breaches = breaches;
    this.#course = course;
    this.#journal.plan(course);
  }

  /** One remedy. It counts as tried from its beginning, so that a fix that is stopped in the middle says so. */
  async trying<R extends { readonly result: string }>({ remedy }: FixStep, work: () => Promise<R>): Promise<R> {
    const startedAt = Date.now();
    const before = this.#tried;
    const note = (result: string): void => {
      this.#tried = [...before, { remedy, result, tookMs: Date.now() - startedAt }];
    };
    note('begun');
    try {
      const done = await this.#journal.during(remedy, work, ({ result }) => result);
      note(done.result);
      return done;
    } catch (error) {
      note(isCancellation(error) ? 'stopped' : reasonOf(error));
      throw error;
    }
  }

  /** The store has made it champion. */
  moved(variant: string): void {
    this.#champion = variant;
  }

  ended(outcome: FixOutcome, because: string, remedy: Remedy | null = null): FixEnd {
    return { outcome, because, remedy, tried: this.#tried, champion: this.#champion };
  }

  /** What a kill has fenced off was killed, whether or not the fix has been told. */
  refused(what: string, refusal: Refusal, because: string): FixEnd {
    const killed = refusal === 'killed' || refusal === 'stale epoch';
    return this.ended(killed ? 'killed' : 'failed', `${what} was ${because}`);
  }

  async #finish(found: FixEnd): Promise<FixEnd> {
    this.#ending = true;
    const { service, fix, request } = this.#input;
    // A kill may have made another one champion by now.
    const state = await store.readState({ service });
    const end: FixEnd = { ...found, tried: this.#tried, champion: state?.champion ?? this.#champion };
    this.#journal.end(end);
    const row = {
      key: `${workflowInfo().workflowId}/end`,
      service,
      cycle: fix,
      kind: 'fix ended',
      reason: end.because,
    };
    const body = {
      ...end,
      symptoms: symptomsOf(this.#breaches),
      passedOver: this.#course.passedOver,
      promises: this.#promises(end.outcome),
      steps: this.#journal.reports,
    };
    await store.note({ entries: [{ ...row, actor: { kind: 'fix', name: fix }, body }] });
    // Whoever asks hears of the end once the ledger has it.
    this.#end = end;
    await tell(guardianId(service), messages.reportSignal, { cycle: fix, end });
    const type = NOTICES[end.outcome];
    if (type) {
      const text = `${service}: ${fix} ended as ${end.outcome}: ${end.because} (${request.reason})`;
      const command = commandFor(end.outcome, service);
      this.#notices.send(type, 'end', { text, ...(command !== null && { command }) });
    }
    await this.#notices.settled();
    return end;
  }

  #promises(outcome: FixOutcome): readonly FixPromise[] {
    const { since } = this.#input.request;
    const sinceMs = since === undefined ? this.#startedAt : Date.parse(since);
    return promisesOf(this.#breaches, { sinceMs, nowMs: Date.now(), outcome });
  }

  #stop(outcome: 'aborted' | 'killed', message: unknown): messages.Answer {
    if (this.#ending) return refused('the fix has come to its end already');
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= this.ended(outcome, `${reason} (${by})`);
    this.#body.cancel();
    return accepted(`${outcome}: what it has gone back to stays`);
  }

  #status(): FixStatus {
    const { service, fix, request } = this.#input;
    return {
      ...{ service, fix, workflowId: workflowInfo().workflowId, reason: request.reason },
      symptoms: symptomsOf(this.#breaches),
      course: this.#course.steps.map(({ remedy }) => remedy),
      reports: this.#journal.reports,
      tried: this.#tried,
      champion: this.#end?.champion ?? this.#champion,
      promises: this.#end ? this.#promises(this.#end.outcome) : [],
      end: this.#end,
    };
  }
}

/** What a person types next, where something is left to be done. */
const commandFor = (outcome: FixOutcome, service: string): string | null => {
  if (outcome === 'asked') return `pawl fix start ${service} --remedy previous --reason "…"`;
  return outcome === 'failed' ? `pawl kill ${service} --reason "…"` : null;
};
