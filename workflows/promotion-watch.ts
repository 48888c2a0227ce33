import { allHandlersFinished, CancellationScope, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { WatchEnd, WatchTrialInput } from '../contracts/watch.ts';
import { Watch } from './watch/watch.ts';

/** Looks after what was promoted, for hours to days, and has the former champion back where it turns out to be worse. */
export async function promotionWatch(input: WatchTrialInput): Promise<WatchEnd> {
  const watch = new Watch(input); // undo and abort are handled from here on
  const end = await watch.toItsEnd(() => process(watch, input));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (end) return end;
  return continueAsNew<typeof promotionWatch>({ ...input, memory: watch.memory() });
}

/** null: to be continued as new. */
const process = async (watch: Watch, input: WatchTrialInput): Promise<WatchEnd | null> => {
  const untilMs = Date.parse(input.promotedAt) + input.plan.forMs;
  for (;;) {
    const over = await watch.overtaken();
    if (over) return over;
    if (watch.goesBack) {
      const gone = await watch.goBack();
      if (gone) return gone;
    } else {
      await watch.look();
      if (!watch.goesBack && Date.now() >= untilMs) return watch.atEnd();
    }
    if (historyIsLong(input)) return null;
    await watch.untilNext(untilMs);
  }
};

const historyIsLong = ({ historyLimit = 8_000 }: WatchTrialInput): boolean =>
  workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= historyLimit;
