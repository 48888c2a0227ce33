import { isCancellation, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { FixCourse, FixEnd, FixRequest } from '../../contracts/remediation.ts';
import type { FixReport } from '../../contracts/remediation-messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { reasonOf } from '../failure.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a fix: what it does, with the times, in the status query and in the Web UI. */
export class FixJournal {
  readonly #request: FixRequest;
  readonly #reports: FixReport[] = [];
  readonly #refusals: string[] = [];
  #course: string | null = null;
  #end: string | null = null;

  constructor(request: FixRequest) {
    this.#request = request;
  }

  get reports(): readonly FixReport[] {
    return this.#reports;
  }

  async during<R>(what: string, work: () => Promise<R>, summary: (result: R) => string): Promise<R> {
    const at = this.#reports.push({ what, startedAt: now(), endedAt: null, summary: null }) - 1;
    upsertSearchAttributes([{ key: searchAttributes.stage, value: what }]);
    this.#show();
    const finish = (said: string): void => {
      const report = this.#reports[at];
      if (report) this.#reports[at] = { ...report, endedAt: now(), summary: said };
      this.#show();
    };
    try {
      const result = await work();
      finish(summary(result));
      return result;
    } catch (error) {
      finish(isCancellation(error) ? 'stopped' : reasonOf(error));
      throw error;
    }
  }

  plan({ steps, passedOver }: FixCourse): void {
    const means = steps.map(({ remedy }) => remedy).join(', ') || 'nothing that it may do';
    const over = passedOver.map(({ remedy, because }) => `${remedy}: ${because}`);
    this.#course = `means to try: ${means}${over.length === 0 ? '' : ` (not ${over.join('; ')})`}`;
    this.#show();
  }

  end({ outcome, because }: FixEnd): void {
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#end = `**${outcome}**: ${because}`;
    this.#show();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#show();
  }

  #show(): void {
    const { requestedBy, reason } = this.#request;
    const steps = this.#reports.map(
      ({ what, startedAt, endedAt, summary }) =>
        `- **${what}** ${endedAt ? `after ${seconds(startedAt, endedAt)} s: ${summary}` : 'now'}`,
    );
    const refusals = this.#refusals.map((because) => `- refused message: ${because}`);
    setCurrentDetails(
      [
        `asked for by ${requestedBy.kind} ${requestedBy.name}: ${reason}`,
        ...(this.#course === null ? [] : [this.#course]),
        [...steps, ...refusals].join('\n'),
        ...(this.#end === null ? [] : [this.#end]),
      ].join('\n\n'),
    );
  }
}

const now = (): string => new Date().toISOString();
const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1);
