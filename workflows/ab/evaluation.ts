/**
 * An A/B evaluation's state and handlers; the process itself stands in ab-evaluation.ts.
 *
 * 1. It ends exactly once. On anything but 'better' what served before serves again, and that before anything is written.
 * 2. The challenger gets more only on a look that has just been taken, has seen it, and found no harm.
 * 3. Harm and a void result end it at any time: also while it is paused, since anybody may pause it and what needs no
 *    signature must not loosen; and while a person is asked. Nothing else is decided then.
 * 4. Its clock goes on while it is paused: subjects go on coming, and whole weeks and the maximum are theirs. Decided is
 *    afterwards, on a look that is taken at once.
 * 5. A look that could not be taken never promotes.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { AbFinding } from '../../contracts/ab.ts';
import * as ab from '../../contracts/ab-messages.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { Refusal } from '../../contracts/traffic.ts';
import { Notices } from '../cycle/notices.ts';
import { Signatures } from '../cycle/signatures.ts';
import { reasonOf } from '../failure.ts';
import { accepted, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { takeLook, termsOf } from './data.ts';
import * as memories from './memory.ts';
import { Picture, statusOf } from './picture.ts';
import { Question } from './question.ts';
import { keep, note } from './records.ts';
import { giveShare, putBack } from './traffic.ts';

const OVER = 'the evaluation has come to its end already';

export class Evaluation {
  readonly #input: ab.AbInput;
  readonly #picture: Picture;
  readonly #body = new CancellationScope();
  readonly #mutex = new Mutex();
  readonly #signatures: Signatures;
  readonly #question: Question;
  readonly #notices: Notices;
  #memory: ab.AbMemory | null;
  #paused: boolean;
  #stopped: ab.AbEnd | null = null;
  #ending = false;
  #end: ab.AbEnd | null = null;

  constructor(input: ab.AbInput) {
    this.#input = input;
    this.#memory = input.memory ?? null;
    this.#paused = input.memory?.paused ?? false;
    const { service, cycle, requestedBy } = input.trial;
    const command = (action: string) => `pawl ab ${action} ${cycle} --print`;
    this.#signatures = new Signatures({ service, cycle, requestedBy, command }, input.memory?.uses);
    this.#question = new Question(this.#signatures, {
      asked: input.memory?.question ?? null,
      hindrance: () => (this.#ending ? OVER : this.#paused ? 'it is paused: resume it first' : null),
      changed: () => this.#show(),
    });
    this.#notices = new Notices({ service, cycle, plan: { notify: input.notify ?? false } });
    this.#picture = new Picture(input.trial);
    setHandler(ab.abStatusQuery, () => statusOf(input, this.memory(), this.#paused, this.#end));
    const onRefusal = (because: string) => this.#picture.refused(because);
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) => inTurn(this.#mutex, handle);
    const { abortSignal, abortUpdate, killSignal, killUpdate, pauseSignal, pauseUpdate } = messages;
    const { rejectSignal, rejectUpdate, resumeSignal, resumeUpdate } = messages;
    const { lookSignal, lookUpdate, promoteSignal, promoteUpdate } = ab;
    onMessage(abortSignal, abortUpdate, (message) => this.#stop('aborted', message), onRefusal);
    onMessage(killSignal, killUpdate, (message) => this.#stop('refused', message, 'killed'), onRefusal);
    onMessage(pauseSignal, pauseUpdate, () => this.#pause(), onRefusal);
    onMessage(lookSignal, lookUpdate, () => this.#lookNow(), onRefusal);
    onMessage(
      rejectSignal,
      rejectUpdate,
      (message) => (this.#ending ? refused(OVER) : this.#question.reject(message)),
      onRefusal,
    );
    onMessage(
      promoteSignal,
      promoteUpdate,
      turn((message) => this.#question.promote(message)),
      onRefusal,
    );
    onMessage(
      resumeSignal,
      resumeUpdate,
      turn((message) => this.#resume(message)),
      onRefusal,
    );
    setDefaultSignalHandler((name) => onRefusal(`${name}: an A/B evaluation knows no such message`));
    this.#show();
  }

  /** Runs the process; null: it is to go on in a new run of the workflow. */
  async toItsEnd(process: () => Promise<ab.AbEnd | null>): Promise<ab.AbEnd | null> {
    let end: ab.AbEnd | null;
    try {
      end = await this.#body.run(async () => {
        const given = await process();
        // Whoever stops it while the last handlers finish must find it here, not in a run that knows nothing of it.
        if (given === null) await this.#settled();
        return given;
      });
    } catch (error) {
      if (!isCancellation(error) && !this.#stopped) return CancellationScope.nonCancellable(() => this.#fail(error));
      end = this.#ended('aborted', 'the workflow was cancelled in Temporal');
    }
    const final = this.#stopped ?? end;
    return final && CancellationScope.nonCancellable(() => this.#finish(final));
  }

  get begun(): boolean {
    return this.#memory !== null;
  }

  /** Asks what is needed and what it will take, and says so before the first subject is dealt. */
  async begin(): Promise<void> {
    const { trial, plan } = this.#input;
    const terms = await termsOf(trial, plan);
    await note(trial, 'ab started', terms.outlook, { ...terms, experiment: memories.experimentOf(trial) });
    this.#memory = memories.fresh(terms, Date.now());
    this.#show();
  }

  giveFirstShare(): Promise<ab.AbEnd | null> {
    return this.#give(0);
  }

  /** Waits. What a person decided meanwhile, or did not in time, is its end. */
  async untilNextLook(): Promise<ab.AbEnd | null> {
    const { asked } = this.#question;
    const expiresMs = asked ? Date.parse(asked.expiresAt) : Number.POSITIVE_INFINITY;
    const wakes = Math.min(memories.nextLookMs(this.#known, Date.now()), expiresMs);
    const isCalled = () => this.#known.wanted || this.#question.asked?.answer != null;
    await condition(isCalled, Math.max(1, wakes - Date.now()), { summary: 'until the next look' });
    const answer = this.#question.asked?.answer;
    if (answer) {
      const because = `${answer.reason} (${answer.by})`;
      return this.#ended(answer.decision === 'promote' ? 'better' : 'rejected', because);
    }
    return Date.now() >= expiresMs ? this.#ended('expired', 'no decision came in time') : null;
  }

  /** null: it could not be taken. */
  async look(): Promise<AbFinding | null> {
    this.#remember({ wanted: false });
    try {
      const look = await takeLook(this.#input.trial, this.#known, Date.now());
      this.#remember(memories.withLook(this.#known, look));
      return look.finding;
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      this.#remember({ trouble: reasonOf(error) });
      return null;
    }
  }

  /** Does what the look asks for; null: it goes on. */
  async follow(finding: AbFinding | null): Promise<ab.AbEnd | null> {
    const { decision, sentence } = finding ?? memories.withoutLook(this.#known, Date.now());
    if (decision === 'stop for harm') return this.#ended('harm', sentence);
    if (decision === 'void') return this.#ended('void', sentence);
    if (this.#paused || this.#question.asked) return null;
    if (decision === 'promote') return this.#ended('better', sentence);
    if (decision === 'keep') return this.#ended('kept', sentence);
    if (decision === 'ask') await this.#ask(sentence);
    const { phase } = this.#known;
    return finding && memories.rampsUp(this.#known, finding, Date.now()) ? this.#give(phase + 1) : null;
  }

  memory(): ab.AbMemory | null {
    if (!this.#memory) return null;
    const { asked: question } = this.#question;
    return { ...this.#memory, paused: this.#paused, uses: this.#signatures.uses, question };
  }

  get #known(): ab.AbMemory {
    if (!this.#memory) throw new Error('an evaluation that has not begun remembers nothing');
    return this.#memory;
  }

  #remember(news: Partial<ab.AbMemory>): void {
    this.#memory = { ...this.#known, ...news };
    this.#show();
  }

  #show(): void {
    this.#picture.show(this.memory(), this.#paused, this.#end);
  }

  async #give(phase: number): Promise<ab.AbEnd | null> {
    // Counted before it is ordered: an order whose answer is not known counts as one that was carried out.
    const shifts = this.#known.shifts + 1;
    this.#remember({ shifts });
    const answer = await giveShare(this.#input.trial, shifts, memories.shareIn(this.#known.plan, phase));
    if (answer.outcome === 'refused') {
      const because = `the change of traffic was refused: ${answer.why ?? answer.because}`;
      return { ...this.#ended('refused', because), refusal: answer.because };
    }
    this.#remember({ phase, phaseSinceMs: Date.now() });
    return null;
  }

  async #ask(summary: string): Promise<void> {
    const { trial } = this.#input;
    const report = await keep(trial, this.#memory, null, summary);
    const expiresAt = new Date(Date.now() + this.#known.plan.holdMs).toISOString();
    const evidence = report?.sha256 ?? trial.evidence;
    this.#question.ask({ step: 'ab', variant: trial.challenger, evidence, summary, expiresAt });
    const { service, cycle } = trial;
    this.#notices.send('ab.asked', 'ab', {
      text: `${service}: ${cycle} asks whether ${trial.challenger.slice(0, 12)} goes on, until ${expiresAt}: ${summary}`,
      command: `pawl ab promote ${cycle} --service ${service} --reason "…"`,
    });
  }

  #ended(outcome: ab.AbOutcome, because: string): ab.AbEnd {
    return { outcome, because, finding: this.#memory?.finding ?? null, evidence: null };
  }

  async #finish(end: ab.AbEnd): Promise<ab.AbEnd> {
    this.#ending = true;
    const traffic = end.outcome === 'better' ? 'as it is' : await this.#undo();
    const evidence = await keep(this.#input.trial, this.#memory, end.outcome, end.because);
    const final = { ...end, finding: this.#memory?.finding ?? null, evidence };
    await this.#noteEnd({ ...final, traffic });
    this.#end = final;
    this.#show();
    await this.#settled();
    return final;
  }

  /** What nobody foresaw is told as a failure, once traffic is where it was. */
  async #fail(error: unknown): Promise<never> {
    this.#ending = true;
    const traffic = await this.#undo();
    const because = reasonOf(error);
    await this.#noteEnd({ outcome: 'failed', because, traffic });
    await this.#settled();
    throw error instanceof ActivityFailure ? error : ApplicationFailure.nonRetryable(because, 'Internal');
  }

  /** A kill or a later promotion may have overtaken it: then what serves is theirs. */
  async #undo(): Promise<string> {
    const shifts = this.#memory?.shifts ?? 0;
    if (shifts === 0) return 'never moved';
    try {
      const answer = await putBack(this.#input.trial, shifts + 1);
      return answer.outcome === 'done' ? 'put back' : `left to others: ${answer.why ?? answer.because}`;
    } catch (error) {
      return `could not be put back: ${reasonOf(error)}`;
    }
  }

  async #settled(): Promise<void> {
    await condition(allHandlersFinished);
    await this.#notices.settled();
  }

  #noteEnd(end: { readonly because: string } & Readonly<Record<string, unknown>>): Promise<void> {
    const { plan, nth = null, looked = 0, startedMs } = this.#memory ?? {};
    const startedAt = startedMs === undefined ? null : new Date(startedMs).toISOString();
    return note(this.#input.trial, 'ab ended', end.because, {
      ...{ ...end, alpha: plan?.alpha ?? null, nth, looked, startedAt },
    });
  }

  #stop(outcome: 'aborted' | 'refused', message: unknown, refusal?: Refusal): messages.Answer {
    if (this.#ending) return refused(OVER);
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= { ...this.#ended(outcome, `${reason} (${by})`), ...(refusal && { refusal }) };
    this.#body.cancel();
    return accepted(`${refusal ?? outcome}: what served before serves again`);
  }

  #pause(): messages.Answer {
    if (this.#ending) return refused(OVER);
    this.#paused = true;
    this.#show();
    return accepted('paused until a signed resume: shares stay as they are, and only harm ends it');
  }

  async #resume(message: unknown): Promise<messages.Answer> {
    const verified = await this.#signatures.verify(message, 'resume');
    if (!verified.claims) return refused(verified.because);
    if (this.#ending) return refused('the evaluation has come to its end meanwhile');
    this.#paused = false;
    if (this.#memory) this.#remember({ wanted: true });
    else this.#show();
    return accepted('resumed, with a look at once');
  }

  #lookNow(): messages.Answer {
    if (this.#ending) return refused(OVER);
    if (!this.#memory) return refused('it has not begun yet');
    this.#remember({ wanted: true });
    return accepted('it looks now');
  }
}
