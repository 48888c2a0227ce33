import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { CanaryEnd, CanaryQuestion, CanaryStepReport } from '../../contracts/canary-messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a canary: its steps with their times, in the status query and in the Web UI. */
export class Journal {
  readonly #reports: CanaryStepReport[];
  readonly #refusals: string[] = [];
  #detectable = '';
  /** How the analyses stand. */
  #analyses: readonly string[] = [];
  /** What a person is asked for, or how it ended. */
  #last = '';

  constructor(reports: readonly CanaryStepReport[]) {
    this.#reports = [...reports];
  }

  get reports(): readonly CanaryStepReport[] {
    return this.#reports;
  }

  get current(): CanaryStepReport | null {
    return this.#reports.findLast(({ endedAt }) => endedAt === null) ?? null;
  }

  begun(step: string): CanaryStepReport | null {
    return this.#reports.find((report) => report.step === step) ?? null;
  }

  begin(step: string, what: string): void {
    this.#reports.push({ step, what, state: 'running', startedAt: now(), endedAt: null, summary: null });
    upsertSearchAttributes([{ key: searchAttributes.stage, value: step }]);
    this.#show();
  }

  finish(state: 'done' | 'skipped' | 'failed', summary: string): void {
    const before = this.current?.summary;
    this.#change(this.current, { state, endedAt: now(), summary: before ? `${before}; ${summary}` : summary });
  }

  detectable(sentence: string): void {
    this.#detectable = sentence;
    this.#show();
  }

  analyses(lines: readonly string[]): void {
    this.#analyses = lines;
    this.#show();
  }

  ask({ step, because, until, kind }: CanaryQuestion, cycle: string): void {
    const commands = kind === 'approval' ? ['promote', 'abort'] : ['promote', 'retry', 'abort'];
    this.#last = [
      `**waits for a person**${until === null ? '' : ` until ${until}, then traffic goes back`}: ${step}, ${because}`,
      commands.map((command) => `\`pawl canary ${command} ${cycle}\``).join(' or '),
    ].join('\n\n');
    this.#change(this.current, { state: 'waiting' });
  }

  answered(by: string | null): void {
    this.#last = '';
    const before = this.current?.summary;
    const summary = [...(before ? [before] : []), ...(by ? [by] : [])].join('; ') || null;
    this.#change(this.current, { state: 'running', summary });
  }

  end({ outcome, because }: CanaryEnd): void {
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#last = `**${outcome}**: ${because}`;
    this.#show();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#show();
  }

  #change(report: CanaryStepReport | null, change: Partial<CanaryStepReport>): void {
    const at = report === null ? -1 : this.#reports.indexOf(report);
    if (report && at >= 0) this.#reports[at] = { ...report, ...change };
    this.#show();
  }

  #show(): void {
    const lines = this.#reports.map(
      ({ step, what, state, startedAt, endedAt, summary }) =>
        `- **${step}** ${what}: ${state}${endedAt ? ` after ${seconds(startedAt, endedAt)} s` : ''}${summary ? `, ${summary}` : ''}`,
    );
    for (const line of this.#analyses) lines.push(`- ${line}`);
    for (const because of this.#refusals) lines.push(`- refused message: ${because}`);
    setCurrentDetails([this.#detectable, '', ...lines, '', this.#last].join('\n').trim());
  }
}

const now = (): string => new Date().toISOString();
const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1);
