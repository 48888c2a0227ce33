/** The inside of a thread of a WorkPool: opens what it keeps, and does one job after another. */
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import { type ThrownError, thrown } from '../../contracts/thrown.ts';

export interface Kept<Job, Answer> {
  do(job: Job): Promise<Done<Answer>>;
  close(): Promise<void>;
}
export interface Done<Answer> {
  readonly answer: Answer;
  /** Buffers that the thread gives away instead of copying them. */
  readonly transfer?: readonly Transferable[];
}

export type ToThread = { readonly id: number; readonly job: unknown } | 'close';
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unable'; readonly error: ThrownError }
  | { readonly kind: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ThrownError };

/** Called once, at the top of the module that a WorkPool names. */
export function serveJobs<Standing, Job, Answer>(open: (standing: Standing) => Promise<Kept<Job, Answer>>): void {
  if (parentPort === null) throw new Error('This module is loaded by a WorkPool, in a thread.');
  const port = parentPort;
  const say = (message: FromThread, transfer: readonly Transferable[] = []) => port.postMessage(message, transfer);

  // Each waits for the one before: a job never meets a change of what it works with.
  let last: Promise<void> = open(workerData as Standing).then(
    (kept) => {
      port.on('message', (message: ToThread) => {
        last = last.then(() => (message === 'close' ? end(kept) : work(kept, message)));
      });
      say({ kind: 'ready' });
    },
    (error: unknown) => {
      say({ kind: 'unable', error: thrown(error) });
      port.close();
    },
  );

  const work = async (kept: Kept<Job, Answer>, { id, job }: { id: number; job: unknown }): Promise<void> => {
    try {
      const { answer, transfer } = await kept.do(job as Job);
      say({ kind: 'done', id, answer }, transfer);
    } catch (error) {
      say({ kind: 'failed', id, error: thrown(error) });
    }
  };
  const end = async (kept: Kept<Job, Answer>): Promise<void> => {
    await kept.close();
    port.close();
  };
}
