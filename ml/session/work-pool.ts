/**
 * Threads that keep something large ready, and jobs that any of them can do.
 *
 * 1. A job is done by one thread at a time, and a thread does one at a time, so the number of threads decides how soon an
 *    answer comes and never what it is.
 * 2. Jobs are taken up in the order in which they came. A thread that dies is replaced, and its job is done again, once: a
 *    job that takes two threads with it fails.
 * 3. What every thread must know is in `standing` when it starts, or is told to it while it runs.
 * 4. `close` lets what was taken on come to its end; nothing is taken on after it.
 */
import { PawlError } from '../../contracts/failures.ts';
import { Thread, ThreadGone } from './thread.ts';

export interface WorkPoolOptions {
  /** A module that calls `serveJobs`. */
  readonly module: URL;
  /** What a thread is started with; asked anew for each. */
  readonly standing: () => unknown;
  readonly size: number;
}

interface Waiting {
  readonly job: unknown;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
}

const MOST_DEATHS = 2;

export class WorkPool<Job, Answer> {
  readonly #options: WorkPoolOptions;
  readonly #threads = new Set<Thread>();
  readonly #idle = new Set<Thread>();
  readonly #waiting: Waiting[] = [];
  readonly #taken = new Set<Promise<unknown>>();
  /** Why the last thread that was started could not be. */
  #unable: unknown = null;
  #closing: Promise<void> | null = null;

  private constructor(options: WorkPoolOptions) {
    this.#options = options;
  }

  /** Returns when every thread is ready. */
  static async open<Job, Answer>(options: WorkPoolOptions): Promise<WorkPool<Job, Answer>> {
    const pool = new WorkPool<Job, Answer>(options);
    const starts = await Promise.allSettled(Array.from({ length: options.size }, () => pool.#start()));
    const failed = starts.find((start) => start.status === 'rejected');
    if (!failed) return pool;
    await pool.close();
    throw failed.reason;
  }

  get size(): number {
    return this.#options.size;
  }

  run(job: Job): Promise<Answer> {
    if (this.#closing) return Promise.reject(closed());
    if (this.#threads.size === 0) return Promise.reject(this.#unable);
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ job, resolve: resolve as (answer: unknown) => void, reject, deaths: 0 });
    });
    const taken = answer.then(nothing, nothing).finally(() => this.#taken.delete(taken));
    this.#taken.add(taken);
    this.#deal();
    return answer;
  }

  /** A job for every thread, each between two others. What it tells must be part of `standing` by now. */
  async tell(job: Job): Promise<void> {
    if (this.#closing) throw closed();
    await Promise.all(
      [...this.#threads].map((thread) =>
        thread.ask(job).catch((error: unknown) => {
          // Whoever takes its place starts with what was told.
          if (!(error instanceof ThreadGone)) throw error;
        }),
      ),
    );
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.all(this.#taken);
      await Promise.all([...this.#threads].map((thread) => thread.close()));
    })();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const thread = new Thread(this.#options.module, this.#options.standing());
    this.#threads.add(thread);
    try {
      await thread.ready;
    } catch (error) {
      this.#threads.delete(thread);
      this.#unable = error;
      throw error;
    }
    void thread.gone.then(() => this.#lost(thread));
    this.#idle.add(thread);
    this.#deal();
  }

  #deal(): void {
    for (const thread of this.#idle) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#idle.delete(thread);
      void this.#give(next, thread);
    }
  }

  async #give(next: Waiting, thread: Thread): Promise<void> {
    try {
      next.resolve(await thread.ask(next.job));
    } catch (error) {
      if (error instanceof ThreadGone && ++next.deaths < MOST_DEATHS) this.#waiting.unshift(next);
      else next.reject(error);
    }
    if (thread.alive) this.#idle.add(thread);
    this.#deal();
  }

  #lost(thread: Thread): void {
    this.#threads.delete(thread);
    this.#idle.delete(thread);
    if (this.#closing && this.#taken.size === 0) return;
    this.#start().catch((error: unknown) => {
      // The others go on; without any, nobody would ever answer.
      if (this.#threads.size > 0) return;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }
}

const nothing = (): void => {};
const closed = (): PawlError =>
  new PawlError('Unavailable', 'The pool of threads is closed.', { hint: 'It ends with the process that holds it.' });
