import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { LoraReport, LoraState } from '../../contracts/lora.ts';
import type { LoraEnd } from '../../contracts/lora-messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a fine-tune: its states with their times, in the status query and in the Web UI. */
export class Journal {
  readonly #reports: LoraReport[];
  readonly #refusals: string[] = [];
  /** Where training stands, and last how it ended. */
  #last = '';

  constructor(reports: readonly LoraReport[]) {
    this.#reports = [...reports];
  }

  get reports(): readonly LoraReport[] {
    return this.#reports;
  }

  get current(): LoraState | null {
    return this.#reports.findLast(({ endedAt }) => endedAt === null)?.state ?? null;
  }

  begin(state: LoraState): void {
    this.#reports.push({ state, startedAt: now(), endedAt: null, summary: null });
    upsertSearchAttributes([{ key: searchAttributes.stage, value: state }]);
    this.#show();
  }

  finish(state: LoraState, summary: string): void {
    const at = this.#reports.findLastIndex((report) => report.state === state);
    const report = this.#reports[at];
    if (report) this.#reports[at] = { ...report, endedAt: now(), summary };
    this.#last = '';
    this.#show();
  }

  tell(where: string): void {
    this.#last = where;
    this.#show();
  }

  end({ outcome, because }: LoraEnd): void {
    this.#reports.push({ state: 'ended', startedAt: now(), endedAt: now(), summary: `${outcome}: ${because}` });
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#last = '';
    this.#show();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#show();
  }

  #show(): void {
    const lines = this.#reports.map(
      ({ state, startedAt, endedAt, summary }) =>
        `- **${state}** ${endedAt ? `after ${seconds(startedAt, endedAt)} s` : 'now'}${summary ? `: ${summary}` : ''}`,
    );
    for (const because of this.#refusals) lines.push(`- refused message: ${because}`);
    setCurrentDetails([...lines, '', this.#last].join('\n'));
  }
}

const now = (): string => new Date().toISOString();
const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1);
