/** The thread that answers by meaning, and makes graphs while nobody asks. */
import { serveJobs } from '../../ml/session/jobs.ts';
import { DenseLeg, type DenseOptions, type DenseQuestion } from './dense-leg.ts';
import { openToRead } from './index-file.ts';
import type { LegAnswer } from './leg.ts';

/** null: takes up what was written, so that no question has to. */
export type DenseJob = DenseQuestion | null;

/** So long a question waits at most, and the one step that is just done. */
const SLICE_MS = 2;

serveJobs<DenseOptions, DenseJob, LegAnswer | null>(async (options) => {
  const db = openToRead(options.folder);
  const leg = new DenseLeg(db, options);
  leg.takeUp();

  let background: NodeJS.Immediate | null = null;
  const improve = (): void => {
    const until = performance.now() + SLICE_MS;
    let isMore = true;
    while (isMore && performance.now() < until) isMore = leg.improve();
    background = isMore ? setImmediate(improve) : null;
  };
  improve();

  return {
    do: async (job) => {
      if (job !== null) return { answer: leg.search(job) };
      leg.takeUp();
      background ??= setImmediate(improve);
      return { answer: null };
    },
    close: async () => {
      if (background !== null) clearImmediate(background);
      leg.close();
      db.close();
    },
  };
});
