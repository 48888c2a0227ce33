/** One thread of a WorkPool, seen from outside: what is asked is answered, or fails with `ThreadGone`. */
import { Worker } from 'node:worker_threads';
import { PawlError } from '../../contracts/failures.ts';
import { revived } from '../../contracts/thrown.ts';
import type { FromThread, ToThread } from './jobs.ts';

/** The thread ended before its answer; whether the question was to blame is not known. */
export class ThreadGone extends PawlError {
  constructor(because: string) {
    super('Internal', `A thread ended before its answer: ${because}.`);
  }
}

interface Awaited {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export class Thread {
  /** Rejected when it cannot open what it is to keep. */
  readonly ready: Promise<void>;
  /** Resolved when it is gone, whatever the reason. */
  readonly gone: Promise<void>;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Awaited>();
  #questions = 0;
  #ended: ThreadGone | null = null;

  constructor(module: URL, standing: unknown) {
    this.#worker = new Worker(module, { workerData: standing, execArgv: [] });
    const opened = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.ready = opened.promise;
    this.gone = ended.promise;
    let because: string | null = null;

    this.#worker.on('message', (message: FromThread) => {
      if (message.kind === 'ready') opened.resolve();
      else if (message.kind === 'unable') opened.reject(revived(message.error));
      else this.#answered(message);
    });
    this.#worker.on('error', (error: Error) => {
      because = error.message;
    });
    this.#worker.on('exit', (code) => {
      const gone = new ThreadGone(because ?? `it left with code ${code}`);
      this.#ended = gone;
      opened.reject(gone);
      for (const { reject } of this.#asked.values()) reject(gone);
      this.#asked.clear();
      ended.resolve();
    });
  }

  get alive(): boolean {
    return this.#ended === null;
  }

  ask(job: unknown): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#questions++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#asked.set(id, { resolve, reject });
    this.#post({ id, job });
    return promise;
  }

  /** What was asked before is answered first. */
  async close(): Promise<void> {
    if (!this.#ended) this.#post('close');
    await this.gone;
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #answered(message: Extract<FromThread, { readonly id: number }>): void {
    const awaited = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.kind === 'done') awaited?.resolve(message.answer);
    else awaited?.reject(revived(message.error));
  }
}
