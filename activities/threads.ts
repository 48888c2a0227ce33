import { Context } from '@temporalio/activity';
import { runTask, type Task } from '../adapters/threads.ts';

/**
 * Runs a task in a thread for the current activity: each progress is a heartbeat, with `cursor` as what an attempt after
 * this one resumes from, and a cancellation ends the thread.
 */
export function runForActivity<Input, Progress, Output>(
  task: Task<Input, Progress, Output>,
  input: Input,
  cursor: (progress: Progress) => unknown = (progress) => progress,
): Promise<Output> {
  const context = Context.current();
  // What was reported last is what the next attempt resumes from, so a sign of life must carry it along.
  let last: unknown = context.info.heartbeatDetails;
  return runTask(task, input, {
    signal: context.cancellationSignal,
    onTick: () => context.heartbeat(last),
    onProgress: (progress) => {
      last = cursor(progress);
      context.heartbeat(last);
    },
  });
}
