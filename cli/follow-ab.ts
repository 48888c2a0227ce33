/** Follows an A/B evaluation to its end: what is new on a line of its own, and share and gain on the line that is redrawn. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AbEnd, AbStatus } from '../contracts/ab-messages.ts';
import { changesBetween, liveLine } from './ab-lines.ts';
import type { Context } from './context.ts';
import type { NamedCycle } from './cycles.ts';
import { abStatusOf } from './evaluations.ts';
import { asPawlError } from './failure.ts';

const LOOK_EVERY_MS = 1_000;
/** So long may Temporal or all workers be away before the command gives up; the evaluation itself goes on without it. */
const PATIENCE_MS = 60_000;

export const followAb = (context: Context, named: NamedCycle): Promise<AbEnd> =>
  context.out.progress(`the evaluation of ${named.cycle}`, async (detail) => {
    let before: AbStatus | null = null;
    for (;;) {
      const status = await look(context, named);
      if (context.out.json) {
        if (JSON.stringify(before) !== JSON.stringify(status)) context.out.printJson(status);
      } else {
        for (const line of changesBetween(before, status, Date.now())) context.out.print(line);
        detail(liveLine(status, { plain: !context.environment.colour }));
      }
      if (status.end) return status.end;
      before = status;
      await pause(LOOK_EVERY_MS);
    }
  });

const look = async (context: Context, named: NamedCycle): Promise<AbStatus> => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await abStatusOf(context, named);
    } catch (error) {
      const failure = asPawlError(error);
      if (failure.type !== 'Unavailable' || Date.now() > until) throw failure;
      await pause(LOOK_EVERY_MS);
    }
  }
};
