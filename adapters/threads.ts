/**
 * CPU-bound work in a thread of its own, so that the event loop stays free to heartbeat and to hear of a cancellation.
 *
 * `defineTask` in a module of its own names the work; `runTask` starts a thread that loads just this module, where the
 * same `defineTask` call sees that it is in the thread and does the work. Input, progress and output are plain data.
 * Between two progresses `tick` says that the work goes on, as often as it likes to be called.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { PawlError } from '../contracts/failures.ts';
import { revived, type ThrownError, thrown } from '../contracts/thrown.ts';

export interface Task<Input, Progress, Output> {
  readonly url: string;
  readonly work: (input: Input, report: (progress: Progress) => void, tick: () => void) => Output | Promise<Output>;
}

type Message =
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'tick' }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: ThrownError };

const TICK_MS = 500;

export function defineTask<Input, Progress, Output>(
  url: string,
  work: Task<Input, Progress, Output>['work'],
): Task<Input, Progress, Output> {
  if (!isMainThread && parentPort !== null && workerData?.task === url) {
    const port = parentPort;
    const send = (message: Message) => port.postMessage(message);
    const tick = atMostEvery(TICK_MS, () => send({ kind: 'tick' }));
    void (async () => work(workerData.input as Input, (value) => send({ kind: 'progress', value }), tick))().then(
      (value) => send({ kind: 'done', value }),
      (error: unknown) => send({ kind: 'failed', error: thrown(error) }),
    );
  }
  return { url, work };
}

export interface RunOptions<Progress> {
  readonly onProgress?: (progress: Progress) => void;
  readonly onTick?: () => void;
  /** Ends the thread where it stands; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

export function runTask<Input, Progress, Output>(
  task: Task<Input, Progress, Output>,
  input: Input,
  options: RunOptions<Progress> = {},
): Promise<Output> {
  const { signal, onProgress, onTick } = options;
  return new Promise<Output>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const worker = new Worker(new URL(task.url), { workerData: { task: task.url, input }, execArgv: [] });
    const settle = (finish: () => void) => {
      signal?.removeEventListener('abort', abort);
      void worker.terminate();
      finish();
    };
    const fail = (error: unknown) => settle(() => reject(error));
    const abort = () => fail(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });

    worker.on('message', (message: Message) => {
      if (message.kind === 'failed') return fail(revived(message.error));
      if (message.kind === 'done') return settle(() => resolve(message.value as Output));
      try {
        if (message.kind === 'tick') onTick?.();
        else onProgress?.(message.value as Progress);
      } catch (error) {
        fail(error);
      }
    });
    worker.on('error', fail);
    worker.on('exit', (code) => {
      fail(new PawlError('Internal', `The thread of ${task.url} ended with code ${code} before it had an answer.`));
    });
  });
}

function atMostEvery(ms: number, act: () => void): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    act();
  };
}
