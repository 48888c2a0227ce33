/**
 * How a canary lets time pass: what is due is measured meanwhile, and what does not say enough is put to a person.
 *
 * 1. All that waits, waits in `pass`. So nothing is measured while traffic changes, a verdict ends whatever waits, and a
 *    run can continue as new wherever one waits.
 * 2. A failure ends the canary at once; a doubt holds it until a person has answered, and unanswered sends it back.
 * 3. While a person is asked, measuring goes on: a failure needs no answer.
 */
import { condition, workflowInfo } from '@temporalio/workflow';
import type { Analysis } from '../../contracts/canary.ts';
import type {
  CanaryAnswer,
  CanaryEnd,
  CanaryInput,
  CanaryMemory,
  CanaryQuestion,
} from '../../contracts/canary-messages.ts';
import type { Notices } from '../cycle/notices.ts';
import { Analysing, begun, type Fault } from './analysing.ts';
import type { Journal } from './journal.ts';
import { charted } from './memory.ts';
import type { Questions } from './questions.ts';
import type { Route } from './route.ts';

/** How something came out: it goes on, it is to be continued as new, or the canary is at its end. */
export type Turn = 'on' | 'anew' | CanaryEnd;

interface Parts {
  readonly journal: Journal;
  readonly route: Route;
  readonly questions: Questions;
  readonly notices: Notices;
}
type Remembered = Pick<CanaryMemory, 'inline' | 'background' | 'chart' | 'judgements'>;

const JUDGEMENTS_KEPT = 20;

export class Observation {
  readonly #input: CanaryInput;
  readonly #parts: Parts;
  #inline: Analysing | null;
  #background: Analysing | null;
  #seen: Pick<CanaryMemory, 'chart' | 'judgements'>;
  #fault: Fault | null = null;
  #asks = false;

  constructor(input: CanaryInput, parts: Parts, { inline, background, chart, judgements }: Remembered) {
    this.#input = input;
    this.#parts = parts;
    this.#inline = inline && new Analysing(this.#analysis(inline.name), inline);
    this.#background = background && new Analysing(this.#analysis(background.name), background);
    this.#seen = { chart, judgements };
  }

  get memory(): Remembered {
    return { inline: this.#inline?.memory ?? null, background: this.#background?.memory ?? null, ...this.#seen };
  }

  /** Of the analysis that failed. */
  get fault(): Fault | null {
    return this.#fault;
  }

  /** Lets time pass until that moment (null: for as long as it takes) or until something has come. */
  async pass(untilMs: number | null, come: () => boolean, summary: string): Promise<Turn> {
    for (;;) {
      const verdict = await this.#look();
      if (verdict !== 'on') return verdict;
      const nowMs = Date.now();
      if (come() || (untilMs !== null && nowMs >= untilMs)) return 'on';
      if (this.#historyIsLong) return 'anew';
      const moments = [untilMs, ...this.#running.map((one) => one.nextMs(nowMs))].filter((ms) => ms !== null);
      // A flood of messages alone can make the history long.
      const isUp = () => come() || this.#historyIsLong;
      if (moments.length === 0) await condition(isUp);
      else await condition(isUp, Math.max(1, Math.min(...moments) - nowMs), { summary });
    }
  }

  /** From its step on in the background, once the challenger has something to be measured by. */
  begin(nth: number): void {
    const { background } = this.#input.plan;
    if (!background || nth < background.fromStep || this.#background || this.#parts.route.state.since === null) return;
    this.#background = new Analysing(
      this.#analysis(background.analysis),
      begun(background.analysis, this.#analysis(background.analysis)),
    );
  }

  /** Runs it to its end, or until it is skipped; a person may have it run anew. */
  async analysed(name: string, skipped: () => boolean): Promise<Turn> {
    for (;;) {
      this.#inline ??= new Analysing(this.#analysis(name), begun(name, this.#analysis(name)));
      const inline = this.#inline;
      const turn = await this.pass(null, () => inline.outcome !== 'going on' || skipped(), `analysis ${name}`);
      if (turn !== 'on') return turn;
      if (inline.outcome !== 'inconclusive' || skipped()) break;
      const answer = await this.hold('analysis', `analysis ${name} is inconclusive: ${inline.memory.because}`, inline);
      if ('turn' in answer) return answer.turn;
      if (answer.says === 'promote') break;
      inline.anew();
    }
    this.#inline = null;
    return 'on';
  }

  /** Whether what goes on in the background says enough to promote on: what was not looked at never passes. */
  async backgroundPassed(): Promise<Turn> {
    for (;;) {
      this.begin(Number.POSITIVE_INFINITY);
      const background = this.#background;
      if (!background) return 'on';
      const enough = () => background.memory.excused || background.hasLooked;
      const turn = await this.pass(null, enough, 'until everything was looked at');
      if (turn !== 'on') return turn;
      const { outcome, because } = background.atEnd;
      if (outcome === 'passed' || background.memory.excused) return 'on';
      const doubt = await this.#doubted(background, because);
      if (doubt !== 'on') return doubt;
    }
  }

  hold(about: CanaryQuestion['about'], because: string, analysis: Analysing | null = null) {
    const { trial, plan } = this.#input;
    const until = new Date(Date.now() + plan.holdMs).toISOString();
    const evidence = analysis?.memory.evidence?.sha256 ?? trial.evidence;
    return this.ask({ kind: 'hold', about, variant: trial.challenger, evidence, because, until });
  }

  /** Asks a person, and waits for the answer or for the time. */
  async ask(asked: Parameters<Questions['ask']>[0]): Promise<CanaryAnswer | { readonly turn: Turn }> {
    const { questions, journal, notices } = this.#parts;
    const { service, cycle } = this.#input.trial;
    const { isNew, question } = questions.ask(asked);
    const { step, because, until } = question;
    journal.ask(question, cycle);
    if (isNew) {
      const text = `${service}: the canary of ${cycle} waits for a person: ${step}, ${because}${until ? `, until ${until}` : ''}`;
      const command = `pawl canary promote ${cycle} --service ${service} --reason "…"`;
      notices.send('canary.asked', step, { text, command });
    }
    const untilMs = until === null ? null : Date.parse(until);
    this.#asks = true;
    const turn = await this.pass(untilMs, () => questions.answered, `${step}: until a person decides`);
    this.#asks = false;
    if (turn !== 'on') return { turn };
    const answer = questions.close();
    journal.answered(answer && `${answer.says} by ${answer.by}: ${answer.reason}`);
    if (answer) return answer;
    return { turn: { outcome: 'rolled back', because: `${because}; no person decided in time`, evidence: null } };
  }

  /** Measures what is due, and says what it means. */
  async #look(): Promise<Turn> {
    for (const analysis of this.#running) {
      const look = await analysis.look(this.#parts.route.window(new Date().toISOString()));
      if (!look) continue;
      const judgements = [...this.#seen.judgements, ...look.judgements].slice(-JUDGEMENTS_KEPT);
      this.#seen = { chart: charted(this.#seen.chart, look.measurements), judgements };
      this.#parts.journal.analyses(this.#running.map(({ memory }) => `analysis ${memory.name}: ${memory.because}`));
      const { outcome, because, name } = analysis.memory;
      if (outcome !== 'failed' && outcome !== 'error') continue;
      this.#fault = analysis.fault;
      return { outcome: 'rolled back', because: `analysis ${name} ended as ${outcome}: ${because}`, evidence: null };
    }
    const background = this.#background;
    if (background?.outcome !== 'inconclusive') return 'on';
    if (background.memory.excused) {
      background.goOn();
      return 'on';
    }
    // One question at a time; one that an earlier run has asked is taken up again by whoever asked it.
    const { asked } = this.#parts.questions;
    if (this.#asks || (asked !== null && asked.about !== 'background')) return 'on';
    return this.#doubted(background, background.memory.because);
  }

  /** A person answers for it, has it measured anew, or traffic goes back. It goes on to be measured in any case. */
  async #doubted(background: Analysing, because: string): Promise<Turn> {
    const { name } = background.memory;
    const answer = await this.hold('background', `analysis ${name} is inconclusive: ${because}`, background);
    if ('turn' in answer) return answer.turn;
    if (answer.says === 'promote') background.excuse();
    background.anew();
    return 'on';
  }

  get #running(): readonly Analysing[] {
    return [this.#inline, this.#background].filter((one) => one !== null);
  }

  /** One that the plan does not hold decides nothing, so that a person is asked. */
  #analysis(name: string): Analysis {
    return this.#input.plan.analyses[name] ?? { measures: [], judging: null };
  }

  get #historyIsLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= (this.#input.historyLimit ?? 10_000);
  }
}
