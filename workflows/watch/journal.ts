import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { AnalysisMemory } from '../../contracts/canary-messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { WatchEnd, WatchMemory, WatchTrialInput } from '../../contracts/watch.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a watch in the Web UI. */
export class WatchJournal {
  readonly #head: string;
  readonly #refusals: string[] = [];
  #lines: readonly string[] = [];
  #end: string | null = null;

  constructor({ trial, plan, promotedAt }: WatchTrialInput) {
    const until = new Date(Date.parse(promotedAt) + plan.forMs).toISOString();
    this.#head = `champion \`${trial.challenger.slice(0, 12)}\` since ${promotedAt}, watched until ${until}`;
  }

  show({ looks, passes, doubts, back }: WatchMemory, { outcome, because }: AnalysisMemory): void {
    this.#lines = [
      `- ${looks} looks, ${passes} passes, ${doubts} doubts`,
      `- ${outcome}: ${because}`,
      ...(back ? [`- goes back${back.fix ? ` by ${back.fix.fix}` : ', the guardian is asked'}: ${back.because}`] : []),
    ];
    this.#set();
  }

  end({ outcome, because }: WatchEnd): void {
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#end = `**${outcome}**: ${because}`;
    this.#set();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#set();
  }

  #set(): void {
    const refusals = this.#refusals.map((because) => `- refused message: ${because}`);
    const end = this.#end === null ? [] : [this.#end];
    setCurrentDetails([this.#head, [...this.#lines, ...refusals].join('\n'), ...end].join('\n\n'));
  }
}
