import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { ActivityFailure, isCancellation, setHandler } from '@temporalio/workflow';
import type { Answer } from '../contracts/messages.ts';
import { reasonOf } from './failure.ts';
import type { Mutex } from './mutex.ts';

type Given = Answer | Promise<Answer>;
type Handle = (message: unknown) => Given;

/**
 * A message that people send comes as a signal and as an update; both enter one handler. The handler sees what came as
 * unknown, because anyone who reaches Temporal may have sent it, and an effect that fails for good is a refusal: no
 * message may end the workflow.
 *
 * What needs no promise makes none: the SDK keeps a stack trace of each, and thousands of signals may come in one workflow
 * task, which has seconds.
 */
export const onMessage = <A extends unknown[]>(
  signal: SignalDefinition<A>,
  update: UpdateDefinition<Answer, A>,
  handle: Handle,
  onRefusal: (because: string) => void,
): void => {
  const answer = answering(handle);
  // A signal has no answer: why it was refused is shown where the person looks next.
  const tell = (given: Answer): void => {
    if (!given.accepted) onRefusal(`${signal.name}: ${given.because}`);
  };
  setHandler(update, async (...args: A) => answer(args[0]));
  setHandler(signal, (...args: A): void | Promise<void> => {
    const given = answer(args[0]);
    return given instanceof Promise ? given.then(tell) : tell(given);
  });
};

export const answering =
  (handle: Handle): Handle =>
  (message) => {
    const given = handle(message);
    return given instanceof Promise ? given.catch(asRefusal) : given;
  };

const asRefusal = (error: unknown): Answer => {
  if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
  return refused(reasonOf(error));
};

/** For handlers that await: one at a time, and not more in line than can be worked off. */
export const inTurn =
  (mutex: Mutex, handle: Handle): Handle =>
  (message) =>
    mutex.crowded ? refused('too many messages at once; send it again') : mutex.run(async () => handle(message));

export const accepted = (what: string): Answer => ({ accepted: true, what });
export const refused = (because: string): Answer => ({ accepted: false, because });
