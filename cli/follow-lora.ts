/** Follows a fine-tune to its end: each state that ends on a line of its own, and the bar in between. */
import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { LoraEnd, LoraStatus } from '../contracts/lora-messages.ts';
import type { Context } from './context.ts';
import { asPawlError } from './failure.ts';
import { type LoraView, type NamedLora, viewOf } from './fine-tunes.ts';
import { changesBetween, progressLine } from './lora-lines.ts';
import { render } from './text.ts';

const LOOK_EVERY_MS = 1_000;
/** So long may Temporal or all workers be away before the command gives up; the fine-tune itself goes on without it. */
const PATIENCE_MS = 60_000;

export const followLora = (context: Context, named: NamedLora): Promise<LoraEnd> =>
  context.out.progress(`${named.id} trains`, async (detail) => {
    let before: LoraStatus | null = null;
    for (;;) {
      const view = await look(context, named);
      if (context.out.json) {
        if (changed(before, view)) context.out.printJson({ ...view.status, now: view.now });
      } else {
        for (const line of changesBetween(before, view)) context.out.print(line);
        detail(render(progressLine(view), false));
      }
      if (view.status.end) return view.status.end;
      before = view.status;
      await pause(LOOK_EVERY_MS);
    }
  });

const changed = (before: LoraStatus | null, { status }: LoraView): boolean =>
  before === null || before.state !== status.state || before.step !== status.step || status.end !== null;

const look = async (context: Context, named: NamedLora): Promise<LoraView> => {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await viewOf(context, named);
    } catch (error) {
      const failure = asPawlError(error);
      if (error instanceof WorkflowNotFoundError || failure.type !== 'Unavailable' || Date.now() > until) throw failure;
      await pause(LOOK_EVERY_MS);
    }
  }
};
