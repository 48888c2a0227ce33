import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { AbFinding, Estimate } from '../../contracts/ab.ts';
import type { AbEnd, AbInput, AbMemory, AbQuestion, AbStatus } from '../../contracts/ab-messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { Trial } from '../../contracts/trial.ts';
import { experimentOf, nextLookMs, shareIn } from './memory.ts';
import { percent } from './traffic.ts';

const REFUSALS_SHOWN = 5;

/** What a person sees of an evaluation in the Web UI. */
export class Picture {
  readonly #trial: Trial;
  readonly #refusals: string[] = [];
  #state: AbStatus['state'] | null = null;
  #lines: readonly string[] = [];

  constructor(trial: Trial) {
    this.#trial = trial;
  }

  show(memory: AbMemory | null, paused: boolean, end: AbEnd | null): void {
    this.#enter(stateOf(memory, end));
    this.#lines = [
      ...(memory === null ? ['asks how long it will take'] : [memory.outlook, place(memory)]),
      ...(paused && !end ? ['**paused**: harm still ends it; nothing else does'] : []),
      ...(memory?.trouble ? [`the last look could not be taken: ${memory.trouble}`] : []),
      ...(memory?.finding ? [memory.finding.sentence, tableOf(memory.finding)] : []),
      ...(memory?.question && !end ? [asked(memory.question, this.#trial.cycle)] : []),
      ...(end ? [`**${end.outcome}**: ${end.because}`] : []),
    ];
    if (end) upsertSearchAttributes([{ key: searchAttributes.verdict, value: end.outcome }]);
    this.#tell();
  }

  refused(because: string): void {
    this.#refusals.push(because);
    if (this.#refusals.length > REFUSALS_SHOWN) this.#refusals.shift();
    this.#tell();
  }

  #enter(state: AbStatus['state']): void {
    if (this.#state === state) return;
    this.#state = state;
    upsertSearchAttributes([{ key: searchAttributes.stage, value: state }]);
  }

  #tell(): void {
    const refusals = this.#refusals.map((because) => `- refused message: ${because}`).join('\n');
    setCurrentDetails([...this.#lines, ...(refusals === '' ? [] : [refusals])].join('\n\n'));
  }
}

const stateOf = (memory: AbMemory | null, end: AbEnd | null): AbStatus['state'] => {
  if (end) return 'ended';
  if (memory === null) return 'starting';
  return memory.question ? 'asking' : 'running';
};

export const statusOf = (
  { trial, plan }: AbInput,
  memory: AbMemory | null,
  paused: boolean,
  end: AbEnd | null,
): AbStatus => {
  const { service, cycle, champion, challenger } = trial;
  const moment = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString());
  return {
    ...{ service, cycle, workflowId: workflowInfo().workflowId, experiment: experimentOf(trial), champion, challenger },
    ...{ state: stateOf(memory, end), paused, plan: memory?.plan ?? plan },
    ...{ expectation: memory?.expectation ?? null, outlook: memory?.outlook ?? null },
    startedAt: moment(memory?.startedMs),
    phase: memory && phaseOf(memory),
    ...{ finding: memory?.finding ?? null, looked: memory?.looked ?? 0, looks: memory?.looks ?? [] },
    lookedAt: moment(memory?.lookedMs),
    nextLookAt: memory && !end ? moment(nextLookMs(memory, Math.max(memory.lookedMs ?? 0, memory.phaseSinceMs))) : null,
    ...{ trouble: memory?.trouble ?? null, question: end ? null : (memory?.question ?? null), end },
  };
};

const phaseOf = ({ plan, phase, phaseSinceMs }: AbMemory): AbStatus['phase'] => ({
  nth: phase + 1,
  of: plan.ramp.length,
  share: shareIn(plan, phase),
  since: new Date(phaseSinceMs).toISOString(),
});

const place = ({ plan, phase, phaseSinceMs, looked }: AbMemory): string =>
  `**${percent(shareIn(plan, phase))}** of the subjects since ${new Date(phaseSinceMs).toISOString()} (${phase + 1} of ${plan.ramp.length}), ${looked} looks`;

const tableOf = ({ estimates }: AbFinding): string =>
  [
    '| metric | champion | challenger | difference | interval | subjects |',
    '| --- | --- | --- | --- | --- | --- |',
    ...estimates.map(rowOf),
  ].join('\n');

const rowOf = ({ metric, champion, challenger, relative, subjects }: Estimate): string => {
  const [difference, interval] = relative
    ? [signed(relative.value), `${signed(relative.low)} to ${signed(relative.high)}`]
    : ['–', '–'];
  return `| ${[metric, figure(champion), figure(challenger), difference, interval, subjects].join(' | ')} |`;
};

const figure = (value: number | null): string => (value === null ? '–' : String(Number(value.toPrecision(4))));
const signed = (part: number): string => `${part >= 0 ? '+' : '−'}${(100 * Math.abs(part)).toFixed(1)} %`;

const asked = ({ variant, summary, expiresAt }: AbQuestion, cycle: string): string =>
  [
    `**waits for a person** until ${expiresAt}: whether \`${variant.slice(0, 12)}\` goes on to the canary (${summary})`,
    `\`pawl ab promote ${cycle} --reason …\` or \`pawl ab reject ${cycle} --reason …\``,
  ].join('\n\n');
