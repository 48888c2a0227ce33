import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ApprovalRequest, CycleEnd, StageReport } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a cycle: its stages with their times, in the status query and in the Web UI. */
export class Timeline {
  readonly stages: StageReport[] = [];
  readonly #refusals: string[] = [];
  /** What stands below the stages: what a person is asked for, or how it ended. */
  #last = '';

  begin(stage: Stage, state: 'running' | 'waiting'): void {
    this.stages.push({ stage, state, startedAt: now(), endedAt: null, summary: null });
    this.#last = '';
    upsertSearchAttributes([{ key: searchAttributes.stage, value: stage }]);
    this.#show();
  }

  finish(stage: Stage, state: 'done' | 'skipped' | 'failed', summary: string): void {
    const index = this.stages.findLastIndex((report) => report.stage === stage);
    const report = this.stages[index];
    if (report) this.stages[index] = { ...report, state, endedAt: now(), summary };
    this.#last = '';
    this.#show();
  }

  end({ outcome, because }: CycleEnd): void {
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#last = `**${outcome}**: ${because}`;
    this.#show();
  }

  waitFor({ step, variant, summary, expiresAt, quorum = 1, approvals = [] }: ApprovalRequest, cycle: string): void {
    const given = approvals.map(({ person, role, reason, at }) => `- ${person} (${role}) approved at ${at}: ${reason}`);
    this.#last = [
      `**waits for ${quorum === 1 ? 'a person' : `${quorum} people`}** until ${expiresAt}: ${step} of \`${variant.slice(0, 12)}\` (${summary})`,
      ...(given.length === 0 ? [] : [given.join('\n')]),
      `\`pawl approve ${cycle}\` or \`pawl reject ${cycle} --reason …\``,
    ].join('\n\n');
    this.#show();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#show();
  }

  get current(): Stage | null {
    return this.stages.findLast(({ state }) => state === 'running' || state === 'waiting')?.stage ?? null;
  }

  #show(): void {
    const lines = this.stages.map(
      ({ stage, state, startedAt, endedAt, summary }) =>
        `- **${stage}** ${state}${endedAt ? ` after ${seconds(startedAt, endedAt)} s` : ''}${summary ? `: ${summary}` : ''}`,
    );
    for (const because of this.#refusals) lines.push(`- refused message: ${because}`);
    setCurrentDetails([...lines, '', this.#last].join('\n'));
  }
}

const now = (): string => new Date().toISOString();
const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
