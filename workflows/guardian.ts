import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { GuardianInput } from '../contracts/guardian.ts';
import { Guardian } from './guardian/guardian.ts';

/**
 * Owns one service for ever: the single writer of its champion, gold and latch, and of the order of promotions. It admits
 * cycles, gives them the traffic lane one at a time, and looks after them. Everything it remembers fits its next run's input.
 */
export async function guardian(input: GuardianInput): Promise<never> {
  const owner = new Guardian(input); // every message is handled from here on

  while (!nearlyFull(input)) {
    await condition(() => owner.hasWork() || nearlyFull(input), owner.untilLookMs());
    await owner.tend();
  }

  owner.closing = true; // from here on a request for a cycle is sent to the next run
  await condition(allHandlersFinished);
  return continueAsNew<typeof guardian>({ ...input, memory: owner.memory() });
}

const nearlyFull = ({ historyLimit }: GuardianInput): boolean => {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || (historyLimit !== undefined && historyLength >= historyLimit);
};
