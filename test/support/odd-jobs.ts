/** Jobs of a WorkPool that go as a test wishes. What they say of the thread is its number. */
import { existsSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { PawlError } from '../../contracts/failures.ts';
import { serveJobs } from '../../ml/session/jobs.ts';

export interface Standing {
  readonly word: string;
  /** A file without which the thread cannot open. */
  readonly needs?: string;
}
export type Job =
  | { readonly kind: 'echo'; readonly text: string }
  | { readonly kind: 'learn'; readonly word: string }
  | { readonly kind: 'refuse' }
  | { readonly kind: 'vanish' }
  /** Takes its thread with it the first time only: it leaves a mark. */
  | { readonly kind: 'vanish unless'; readonly mark: SharedArrayBuffer };
export interface Answer {
  readonly said: string;
  readonly thread: number;
}

serveJobs<Standing, Job, Answer>(async ({ word: first, needs }) => {
  if (needs !== undefined && !existsSync(needs)) throw new PawlError('NotFound', `${needs} is gone`);
  let word = first;
  const answer = (said: string) => ({ answer: { said: `${word} ${said}`, thread: threadId } });
  return {
    do: async (job) => {
      if (job.kind === 'echo') return answer(job.text);
      if (job.kind === 'refuse') throw new PawlError('NoData', 'too little', { hint: 'Bring more.' });
      if (job.kind === 'learn') {
        word = job.word;
        return answer('');
      }
      if (job.kind === 'vanish unless') {
        if (Atomics.add(new Int32Array(job.mark), 0, 1) > 0) return answer('survived');
      }
      process.exit(3);
    },
    close: async () => {},
  };
});
