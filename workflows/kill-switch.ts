import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { KillSwitchInput } from '../contracts/guardian.ts';
import { KillSwitch } from './kill-switch/kill-switch.ts';

/** The fleet's kill state: one workflow for all services. Each guardian keeps the state of its own service. */
export async function killSwitch(input: KillSwitchInput): Promise<never> {
  const fleet = new KillSwitch(input);
  await condition(
    () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= (input.historyLimit ?? 10_000),
  );
  await condition(allHandlersFinished);
  return continueAsNew<typeof killSwitch>({ ...input, memory: fleet.memory() });
}
