import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { ActivityFailure, isCancellation, setHandler } from '@temporalio/workflow';
import type { Answer } from '../contracts/messages.ts';
import { reasonOf } from './failure.ts';
import type { Mutex } from './mutex.ts';

type Handle = (message: unknown) => Promise<Answer>;

/**
 * A message that people send comes as a signal and as an update; both enter one handler. The handler sees what came as
 * unknown, because anyone who reaches Temporal may have sent it, and an effect that fails for good is a refusal: no
 * message may end the workflow.
 */
export const onMessage = <A extends unknown[]>(
  signal: SignalDefinition<A>,
  update: UpdateDefinition<Answer, A>,
  handle: Handle,
  onRefusal: (because: string) => void,
): void => {
  const answer = answering(handle);
  setHandler(update, (...args: A) => answer(args[0]));
  setHandler(signal, async (...args: A) => {
    const given = await answer(args[0]);
    // A signal has no answer: why it was refused is shown where the person looks next.
    if (!given.accepted) onRefusal(`${signal.name}: ${given.because}`);
  });
};

export const answering =
  (handle: Handle): Handle =>
  async (message) => {
    try {
      return await handle(message);
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      return refused(reasonOf(error));
    }
  };

/** For handlers that await: one at a time, and not more in line than can be worked off. */
export const inTurn =
  (mutex: Mutex, handle: Handle): Handle =>
  async (message) =>
    mutex.crowded ? refused('too many messages at once; send it again') : mutex.run(() => handle(message));

export const accepted = (what: string): Answer => ({ accepted: true, what });
export const refused = (because: string): Answer => ({ accepted: false, because });
