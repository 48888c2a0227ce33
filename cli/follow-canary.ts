/** Follows a canary to its end: what is new on a line of its own, and weight and metrics on the line that is redrawn. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CanaryEnd, CanaryStatus } from '../contracts/canary-messages.ts';
import { canaryStatusOf } from './canaries.ts';
import { changesBetween, liveLine } from './canary-lines.ts';
import type { Context } from './context.ts';
import type { NamedCycle } from './cycles.ts';
import { asPawlError } from './failure.ts';

const LOOK_EVERY_MS = 1_000;
/** So long may Temporal or all workers be away before the command gives up; the canary itself goes on without it. */
const PATIENCE_MS = 60_000;

export const followCanary = (context: Context, named: NamedCycle): Promise<CanaryEnd> =>
  context.out.progress(`the canary of ${named.cycle}`, async (detail) => {
    let before: CanaryStatus | null = null;
    for (;;) {
      const status = await look(context, named);
      const now = Date.now();
      if (context.out.json) {
        if (before === null || JSON.stringify(before) !== JSON.stringify(status)) context.out.printJson(status);
      } else {
        for (const line of changesBetween(before, status, now)) context.out.print(line);
        detail(liveLine(status));
      }
      if (status.end) return status.end;
      before = status;
      await pause(LOOK_EVERY_MS);
    }
  });

const look = async (context: Context, named: NamedCycle): Promise<CanaryStatus> => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await canaryStatusOf(context, named);
    } catch (error) {
      const failure = asPawlError(error);
      if (failure.type !== 'Unavailable' || Date.now() > until) throw failure;
      await pause(LOOK_EVERY_MS);
    }
  }
};
