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
  return runTask(task, input, {
    signal: context.cancellationSignal,
    onProgress: (progress) => context.heartbeat(cursor(progress)),
  });
}
