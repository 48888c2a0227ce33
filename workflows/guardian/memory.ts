import type { FixesMemory, GuardianMemory } from '../../contracts/guardian.ts';
import type { CycleEnd, GuardianStatus, RunningCycle } from '../../contracts/messages.ts';
import type { FixEnd } from '../../contracts/remediation.ts';

/** Enough for a caller that repeats its request, and for a person who looks; the ledger keeps everything. */
const ANSWERS_KEPT = 500;
const ENDS_KEPT = 20;
const FIX_ENDS_KEPT = 5;
export const NO_FIXES: FixesMemory = { admitted: [], day: '', lastNumber: 0, askedAt: null, last: [] };

export const freshMemory = (): GuardianMemory => ({
  state: null,
  paused: null,
  running: [],
  lane: { holder: null, waiting: [] },
  today: { day: '', admitted: 0, lastNumber: 0 },
  cooldownUntil: null,
  cooldownMs: 0,
  answered: [],
  last: [],
  outbox: [],
  effects: 0,
});

export const withAdmitted = (
  memory: GuardianMemory,
  key: string,
  cycle: RunningCycle,
  today: GuardianMemory['today'],
): GuardianMemory => ({
  ...memory,
  running: [...memory.running, cycle],
  today,
  answered: [...memory.answered, { key, cycle: cycle.cycle, workflowId: cycle.workflowId }].slice(-ANSWERS_KEPT),
});

export const withoutCycle = (memory: GuardianMemory, cycle: string): GuardianMemory => ({
  ...memory,
  running: memory.running.filter((one) => one.cycle !== cycle),
  lane: {
    holder: memory.lane.holder === cycle ? null : memory.lane.holder,
    waiting: memory.lane.waiting.filter((one) => one !== cycle),
  },
});

/** A cycle that could not be started after all. */
export const withoutAdmitted = (memory: GuardianMemory, cycle: string): GuardianMemory => ({
  ...withoutCycle(memory, cycle),
  answered: memory.answered.filter((one) => one.cycle !== cycle),
});

/** A cycle that came to an end. Only one that did something starts the cool-down. */
export const withEnd = (memory: GuardianMemory, cycle: string, end: CycleEnd, now: number): GuardianMemory => ({
  ...withoutCycle(memory, cycle),
  last: [...memory.last, { cycle, ...end }].slice(-ENDS_KEPT),
  cooldownUntil: end.outcome === 'kept' ? memory.cooldownUntil : now + memory.cooldownMs,
});

/** A fix that came to its end. It calms nothing down: what it mended may be tried to be bettered at once. */
export const withFixEnd = (memory: GuardianMemory, fix: string, end: FixEnd): GuardianMemory => {
  const fixes = memory.fixes ?? NO_FIXES;
  return {
    ...withoutCycle(memory, fix),
    fixes: { ...fixes, last: [...fixes.last, { fix, ...end }].slice(-FIX_ENDS_KEPT) },
  };
};

export const onDay = (memory: GuardianMemory, day: string): GuardianMemory =>
  memory.today.day === day ? memory : { ...memory, today: { day, admitted: 0, lastNumber: 0 } };

export const statusOf = (service: string, memory: GuardianMemory): GuardianStatus => ({
  service,
  latch: memory.state?.latch ?? 'disarmed',
  because: memory.state?.because ?? 'the service is not known here',
  paused: memory.paused !== null,
  epoch: memory.state?.epoch ?? 0,
  promotion: memory.state?.promotion ?? 0,
  champion: memory.state?.champion ?? null,
  gold: memory.state?.gold ?? null,
  arms: memory.state?.arms ?? [],
  running: memory.running,
  lane: memory.lane,
  today: { day: memory.today.day, admitted: memory.today.admitted },
  cooldownUntil: memory.cooldownUntil === null ? null : new Date(memory.cooldownUntil).toISOString(),
  last: memory.last,
  ...(memory.fixes && { fixes: memory.fixes.last }),
});

/** The guardian in the Web UI, in a few lines of Markdown. */
export const detailsOf = (status: GuardianStatus, refusal: string | null): string =>
  [
    `**${status.service}** is **${status.latch}**${status.paused ? ', paused' : ''} (${status.because})`,
    `champion \`${short(status.champion)}\`, gold \`${short(status.gold)}\`, epoch ${status.epoch}, promotion ${status.promotion}`,
    `serving: ${status.arms.map(({ variant, share }) => `\`${short(variant)}\` ${Math.round(share * 100)} %`).join(', ') || 'nothing'}`,
    ...status.running.map(
      ({ cycle, trigger }) =>
        `- ${cycle} runs (${trigger})${status.lane.holder === cycle ? ', holds the traffic lane' : ''}`,
    ),
    ...status.last.slice(-5).map(({ cycle, outcome, because }) => `- ${cycle}: ${outcome}, ${because}`),
    ...(status.fixes ?? []).map(({ fix, outcome, because }) => `- ${fix}: ${outcome}, ${because}`),
    ...(refusal === null ? [] : [`last refused message: ${refusal}`]),
  ].join('\n\n');

const short = (variant: string | null): string => variant?.slice(0, 12) ?? 'none';
