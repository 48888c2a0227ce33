import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { CycleInput, LaneAnswer } from '../../contracts/messages.ts';
import type { Arm, FencingToken, StateAnswer, TrafficChange } from '../../contracts/traffic.ts';
import { ask, store } from '../options.ts';
import type { Cycle } from './cycle.ts';

export type Lane = Extract<LaneAnswer, { granted: true }>;

/** Waits for this cycle's turn to move traffic. */
export const trafficLane = async (cycle: Cycle, input: CycleInput): Promise<Exclude<LaneAnswer, { wait: true }>> => {
  for (;;) {
    const answer = await ask.askLane({ service: input.service, cycle: input.cycle });
    if (answer.granted || !answer.wait) return answer;
    await cycle.laneMayBeFree();
  }
};

/** Moves traffic in a stage of that name. Never cancelled half-way: the answer is known before anything else happens. */
export const changeTraffic = (
  cycle: Cycle,
  input: CycleInput,
  lane: Lane,
  stage: 'deploy' | 'promote',
  arms: readonly Arm[],
  champion?: string,
): Promise<StateAnswer> =>
  cycle
    .stage(stage, async () => {
      const answer = await shift({
        ...orderOf(input, stage, lane.token, arms),
        ...(champion === undefined ? {} : { champion }),
      });
      return {
        answer,
        summary: answer.outcome === 'done' ? sentence(arms) : `refused: ${answer.why ?? answer.because}`,
      };
    })
    .then(({ answer }) => answer);

/** Puts back what served before the lane was given. Refused when a kill or a later promotion has overtaken this cycle. */
export const restoreTraffic = async (input: CycleInput, { token, arms }: Lane): Promise<void> => {
  await shift(orderOf(input, 'restore', token, arms));
};

const shift = (change: TrafficChange): Promise<StateAnswer> =>
  CancellationScope.nonCancellable(() =>
    store.shiftTraffic.executeWithOptions({ summary: `${change.reason}: ${sentence(change.arms)}` }, [change]),
  );

const orderOf = (
  { service, cycle }: CycleInput,
  step: string,
  token: FencingToken,
  arms: readonly Arm[],
): TrafficChange => ({
  key: `${workflowInfo().workflowId}/${step}`,
  service,
  cycle,
  actor: { kind: 'cycle', name: cycle },
  reason: step,
  token,
  arms,
});

const sentence = (arms: readonly Arm[]): string =>
  `serving ${arms.map(({ variant, share }) => `${variant.slice(0, 12)} ${Math.round(share * 100)} %`).join(', ')}`;
