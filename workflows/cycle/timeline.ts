import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ApprovalRequest, CycleEnd, StageReport } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of a cycle: its stages with their times, in the status query and in the Web UI. */
export class Timeline {
  readonly stages: StageReport[] = [];
  readonly #refusals: string[] = [];

  begin(stage: Stage, state: 'running' | 'waiting'): void {
    this.stages.push({ stage, state, startedAt: now(), endedAt: null, summary: null });
    upsertSearchAttributes([{ key: searchAttributes.stage, value: stage }]);
    this.#show();
  }

  finish(stage: Stage, state: 'done' | 'skipped' | 'failed', summary: string): void {
    const index = this.stages.findLastIndex((report) => report.stage === stage);
    const report = this.stages[index];
    if (report) this.stages[index] = { ...report, state, endedAt: now(), summary };
    this.#show();
  }

  end({ outcome, because }: CycleEnd): void {
    upsertSearchAttributes([{ key: searchAttributes.verdict, value: outcome }]);
    this.#show(`**${outcome}**: ${because}`);
  }

  waitFor({ step, variant, summary, expiresAt }: ApprovalRequest, cycle: string): void {
    this.#show(
      `**waits for a person** until ${expiresAt}: ${step} of \`${variant.slice(0, 12)}\` (${summary})\n\n` +
        `\`pawl cycle approve ${cycle}\` or \`pawl cycle reject ${cycle} --reason …\``,
    );
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#show();
  }

  get current(): Stage | null {
    return this.stages.findLast(({ state }) => state === 'running' || state === 'waiting')?.stage ?? null;
  }

  #show(last = ''): void {
    const lines = this.stages.map(
      ({ stage, state, startedAt, endedAt, summary }) =>
        `- **${stage}** ${state}${endedAt ? ` after ${seconds(startedAt, endedAt)} s` : ''}${summary ? `: ${summary}` : ''}`,
    );
    for (const because of this.#refusals) lines.push(`- refused message: ${because}`);
    setCurrentDetails([...lines, '', last].join('\n'));
  }
}

const now = (): string => new Date().toISOString();
const seconds = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
