import { continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { AbEnd, AbInput } from '../contracts/ab-messages.ts';
import { Evaluation } from './ab/evaluation.ts';

/** Holds a challenger against the champion on live subjects, a few at first: to 'better', or to a reason why not. */
export async function abEvaluation(input: AbInput): Promise<AbEnd> {
  const run = new Evaluation(input); // look, pause, resume, promote, reject, abort and kill are handled from here on
  const end = await run.toItsEnd(() => process(run, input));
  if (end) return end;
  const memory = run.memory();
  return continueAsNew<typeof abEvaluation>({ ...input, ...(memory && { memory }) });
}

/** null: to be continued as new. */
const process = async (run: Evaluation, input: AbInput): Promise<AbEnd | null> => {
  if (!run.begun) {
    await run.begin();
    const refused = await run.giveFirstShare();
    if (refused) return refused;
  }
  for (;;) {
    if (historyIsLong(input)) return null;
    const decided = await run.untilNextLook();
    if (decided) return decided;
    const finding = await run.look();
    const end = await run.follow(finding);
    if (end) return end;
  }
};

const historyIsLong = ({ historyLimit = 10_000 }: AbInput): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= historyLimit;
