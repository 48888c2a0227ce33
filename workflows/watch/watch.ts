/**
 * The state and the handlers of a watch; the process itself stands in promotion-watch.ts.
 *
 * 1. It ends exactly once. It moves no traffic: it asks the guardian for a fix, which goes back by a right of its own.
 * 2. A failure goes back, and that is not taken back. A doubt is told to people, once until it passes again, and decides
 *    nothing; what was never seen to pass is not called passed at the end.
 * 3. Whatever overtakes it (another champion, a kill) is found in the store, whether or not anybody tells.
 */
import {
  CancellationScope,
  condition,
  isCancellation,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { undoSignal, undoUpdate } from '../../contracts/canary-messages.ts';
import { restrictionOf } from '../../contracts/message-shapes.ts';
import { type Answer, abortSignal, abortUpdate } from '../../contracts/messages.ts';
import type { FixEnd, FixOutcome } from '../../contracts/remediation.ts';
import {
  type WatchEnd,
  type WatchMemory,
  type WatchOutcome,
  type WatchStatus,
  type WatchTrialInput,
  watchStatusQuery,
} from '../../contracts/watch.ts';
import { Analysing, begun } from '../canary/analysing.ts';
import { charted } from '../canary/memory.ts';
import { Notices } from '../cycle/notices.ts';
import { reasonOf } from '../failure.ts';
import { accepted, onMessage, refused } from '../messages.ts';
import { ask, store } from '../options.ts';
import { WatchJournal } from './journal.ts';

/** How soon the guardian is asked again, and a fix looked after. */
const AGAIN_MS = 5_000;
/** The store is looked into at least so often, however seldom anything is measured. */
const LOOK_UP_MS = 3_600_000;
const ANALYSIS = 'watch';

/** What has become of the champion, by how its fix ended. */
const BY_FIX: Readonly<Record<FixOutcome, WatchOutcome>> = {
  remedied: 'rolled back',
  'not needed': 'superseded',
  asked: 'asked',
  failed: 'asked',
  aborted: 'asked',
  killed: 'killed',
};

export class Watch {
  readonly #input: WatchTrialInput;
  readonly #analysing: Analysing;
  readonly #notices: Notices;
  readonly #journal: WatchJournal;
  readonly #body = new CancellationScope();
  #memory: WatchMemory;
  #woken = false;
  #stopped: WatchEnd | null = null;
  #ending = false;
  #end: WatchEnd | null = null;

  constructor(input: WatchTrialInput) {
    const { trial, plan, memory } = input;
    this.#input = input;
    this.#memory = memory ?? {
      ...{ analysis: begun(ANALYSIS, plan.analysis), looks: 0, passes: 0, doubts: 0, doubtful: false },
      ...{ back: null, asks: 0, chart: [] },
    };
    this.#analysing = new Analysing(plan.analysis, this.#memory.analysis);
    this.#notices = new Notices({ service: trial.service, cycle: trial.cycle, plan: { notify: true } });
    this.#journal = new WatchJournal(input);
    setHandler(watchStatusQuery, () => this.#status());
    const onRefusal = (because: string) => this.#journal.refused(because);
    onMessage(abortSignal, abortUpdate, (message) => this.#abort(message), onRefusal);
    onMessage(undoSignal, undoUpdate, (message) => this.#undo(message), onRefusal);
    setDefaultSignalHandler((name) => onRefusal(`${name}: a watch knows no such message`));
    this.#show();
  }

  memory(): WatchMemory {
    return { ...this.#memory, analysis: this.#analysing.memory };
  }

  get goesBack(): boolean {
    return this.#memory.back !== null;
  }

  /** Runs the process; null: it is to go on in a new run of the workflow. */
  async toItsEnd(process: () => Promise<WatchEnd | null>): Promise<WatchEnd | null> {
    let end: WatchEnd | null;
    try {
      end = await this.#body.run(process);
    } catch (error) {
      end =
        this.#stopped ??
        (isCancellation(error)
          ? this.#ended('aborted', 'the workflow was cancelled in Temporal')
          : this.#ended('asked', reasonOf(error)));
    }
    if (end === null) await this.#notices.settled();
    // While that was waited for it may have been stopped.
    const last = end ?? this.#stopped;
    if (last === null) return null;
    return CancellationScope.nonCancellable(() => this.#finish(last));
  }

  /** Another champion, or a kill; but not the fix that it has asked for itself. */
  async overtaken(): Promise<WatchEnd | null> {
    const { service, challenger } = this.#input.trial;
    if (this.#memory.back?.fix) return null;
    const state = await store.readState({ service });
    if (state?.latch === 'killed') return this.#ended('killed', state.because);
    if (state?.champion === challenger) return null;
    return this.#ended('superseded', `${state?.champion?.slice(0, 12) ?? 'nobody'} is champion now`);
  }

  /** Measures what is due, and takes up what it comes to. */
  async look(): Promise<void> {
    const { trial, promotedAt } = this.#input;
    const { service, challenger, champion: baseline } = trial;
    const window = { service, challenger, baseline, since: promotedAt, baselineUntil: promotedAt };
    const look = await this.#analysing.look(window);
    if (!look) return;
    const { looks, chart } = this.#memory;
    this.#remember({ looks: looks + 1, chart: charted(chart, look.measurements) });
    const { outcome, because } = this.#analysing.memory;
    if (outcome === 'going on') return;
    if (outcome === 'failed') this.#fail(because);
    else if (outcome === 'passed') this.#remember({ passes: this.#memory.passes + 1, doubtful: false });
    else this.#doubt(outcome, because);
    if (outcome !== 'failed') this.#analysing.anew();
    this.#show();
  }

  /** Has the guardian start the fix, and waits for its end; null while there is none. */
  async goBack(): Promise<WatchEnd | null> {
    const { service, cycle, challenger: champion } = this.#input.trial;
    const { back, asks } = this.#memory;
    if (!back) return null;
    if (back.fix) return this.#endOf(back.fix);
    this.#remember({ asks: asks + 1 });
    const key = `${workflowInfo().workflowId}/fix/${asks + 1}`;
    const { requestedBy, because, since } = back;
    const reason = `after the promotion by ${cycle}: ${because}`;
    const order = { key, requestedBy, reason, findings: [], only: 'previous', champion, since } as const;
    const answer = await ask.askFix({ service, request: order });
    if (!answer.admitted) return answer.wait ? null : this.#unanswered(answer.because);
    const { fix, workflowId } = answer;
    this.#remember({ back: { ...back, fix: { fix, workflowId } } });
    return null;
  }

  async untilNext(untilMs: number): Promise<void> {
    const now = Date.now();
    const next = Math.min(this.#analysing.nextMs(now) ?? untilMs, untilMs, now + LOOK_UP_MS);
    const ms = this.goesBack ? AGAIN_MS : Math.max(1, next - now);
    await condition(() => this.#woken, ms, {
      summary: this.goesBack ? 'until it is asked again' : 'until the next look',
    });
    this.#woken = false;
  }

  atEnd(): WatchEnd {
    const { outcome, because } = this.#analysing.atEnd;
    const { looks, passes, doubts } = this.#memory;
    const passed = outcome === 'passed' || (passes > 0 && outcome === 'inconclusive');
    const seen = `${looks} looks, ${passes} passes, ${doubts} doubts; ${because}`;
    return this.#ended(passed ? 'passed' : 'inconclusive', seen);
  }

  /** What has no answer to wait for is a person's to decide, unless something has overtaken it. */
  async #unanswered(because: string): Promise<WatchEnd> {
    return (await this.overtaken()) ?? this.#ended('asked', `${this.#memory.back?.because}; ${because}`);
  }

  async #endOf({ fix, workflowId }: { fix: string; workflowId: string }): Promise<WatchEnd | null> {
    const [ended] = await ask.findEnded({ workflowIds: [workflowId] });
    if (!ended) return null;
    const end = ended.end as FixEnd | null;
    if (!end) return this.#ended('asked', `${fix} ended without a report (${ended.status})`);
    return this.#ended(BY_FIX[end.outcome] ?? 'asked', `${this.#memory.back?.because}; ${fix}: ${end.because}`);
  }

  #fail(because: string): void {
    const { cycle } = this.#input.trial;
    const since = new Date(this.#analysing.fault?.sinceMs ?? Date.now()).toISOString();
    const requestedBy = { kind: 'watch', name: cycle };
    this.#remember({ back: this.#memory.back ?? { requestedBy, because, since, fix: null } });
    this.#woken = true;
  }

  #doubt(outcome: string, because: string): void {
    const { doubts, doubtful } = this.#memory;
    this.#remember({ doubts: doubts + 1, doubtful: true });
    if (doubtful) return;
    const { service, cycle } = this.#input.trial;
    const text = `${service}: the watch after the promotion by ${cycle} is ${outcome}: ${because}`;
    const command = `pawl canary undo ${cycle} --service ${service} --reason "…"`;
    this.#notices.send('watch.inconclusive', String(doubts + 1), { text, command });
  }

  async #finish(end: WatchEnd): Promise<WatchEnd> {
    this.#ending = true;
    const { service, cycle } = this.#input.trial;
    const { looks, passes, doubts } = this.#memory;
    this.#journal.end(end);
    const row = { key: `${workflowInfo().workflowId}/end`, service, cycle, kind: 'watch ended', reason: end.because };
    const body = { ...end, looks, passes, doubts, analysis: this.#analysing.memory.because };
    await store.note({ entries: [{ ...row, actor: { kind: 'watch', name: cycle }, body }] });
    // Whoever asks hears of the end once the ledger has it.
    this.#end = end;
    const text = `${service}: the watch after the promotion by ${cycle} ended as ${end.outcome}: ${end.because}`;
    if (end.outcome === 'rolled back') this.#notices.send('watch.rolled-back', 'end', { text });
    const command = `pawl fix start ${service} --remedy previous --reason "…"`;
    if (end.outcome === 'asked') this.#notices.send('watch.asked', 'end', { text, command });
    await this.#notices.settled();
    return end;
  }

  #ended(outcome: WatchOutcome, because: string): WatchEnd {
    return { outcome, because, fix: this.#memory.back?.fix?.fix ?? null };
  }

  #abort(message: unknown): Answer {
    if (this.#ending) return refused('the watch has come to its end already');
    const { by, reason } = restrictionOf(message);
    this.#stopped ??= this.#ended('aborted', `${reason} (${by})`);
    this.#body.cancel();
    return accepted('aborted: nobody watches the champion now');
  }

  #undo(message: unknown): Answer {
    if (this.#ending || this.#stopped) return refused('the watch has come to its end already');
    if (this.#memory.back) return accepted('it goes back already');
    const { by, reason } = restrictionOf(message);
    const back = { because: `${reason} (${by})`, since: new Date().toISOString(), fix: null };
    this.#remember({ back: { requestedBy: { kind: 'person', name: by }, ...back } });
    this.#woken = true;
    return accepted('the guardian is asked for the champion of before');
  }

  #remember(changes: Partial<WatchMemory>): void {
    this.#memory = { ...this.#memory, ...changes };
    this.#show();
  }

  #show(): void {
    this.#journal.show(this.#memory, this.#analysing.memory);
  }

  #status(): WatchStatus {
    const { trial, plan, promotedAt } = this.#input;
    const { looks, passes, doubts, chart, back } = this.#memory;
    const { startedAt, outcome, because } = this.#analysing.memory;
    return {
      ...{ service: trial.service, cycle: trial.cycle, workflowId: workflowInfo().workflowId },
      ...{ champion: trial.challenger, former: trial.champion, promotedAt, looks, passes, doubts, back },
      until: new Date(Date.parse(promotedAt) + plan.forMs).toISOString(),
      analysis: { startedAt, outcome, because },
      measurements: chart,
      end: this.#end,
    };
  }
}
