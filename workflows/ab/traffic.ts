import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { Arm, StateAnswer } from '../../contracts/traffic.ts';
import type { Trial } from '../../contracts/trial.ts';
import { store } from '../options.ts';

export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** The nth change of traffic of an evaluation. Never cancelled half-way: the answer is known before anything else happens. */
const shift = (trial: Trial, nth: number, reason: string, arms: readonly Arm[]): Promise<StateAnswer> => {
  const { service, cycle, token } = trial;
  const change = {
    key: `${workflowInfo().workflowId}/${nth}`,
    ...{ service, cycle, actor: { kind: 'cycle', name: cycle }, reason, token, arms },
  };
  return CancellationScope.nonCancellable(() => store.shiftTraffic.executeWithOptions({ summary: reason }, [change]));
};

export const giveShare = (trial: Trial, nth: number, share: number): Promise<StateAnswer> =>
  shift(trial, nth, `ab ${nth}: ${percent(share)}`, [
    { variant: trial.champion, share: 1 - share },
    { variant: trial.challenger, share },
  ]);

export const putBack = (trial: Trial, nth: number): Promise<StateAnswer> =>
  shift(trial, nth, 'ab: back to the champion', trial.arms);
