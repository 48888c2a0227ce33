import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { readUpFile } from '../up/up-file.ts';

export const SERVICE = 'docs';
/** What the gates and the story look at: only what was asked within this time. */
export const WINDOW_SECONDS = 12;

/**
 * The story's own home, made anew each time. It is a service like any other; only its windows are short, because its users
 * ask forty questions a second and its reader does not want to wait for a day.
 */
export const makeHome = (home: string): void => {
  const running = readUpFile(join(home, '.pawl'));
  if (running) {
    throw new PawlError('Refused', `A story is running here already (process ${running.pid}).`, {
      hint: `Stop it first: Ctrl-C where it runs, or kill ${running.pid}.`,
    });
  }
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'pawl.yaml'), CONFIG);
};

/** Three good looks in a row pass; whoever has few visitors gets more time. */
const QUICK = 'every: 2s, count: 60, successes: 3, inconclusiveLimit: 60, window: 20s, samples: 20';

const CONFIG = `# The service of the story: full-text search over the doc comments of installed packages.
service: ${SERVICE}
environment: staging
data:
  corpus: corpus.jsonl
  queries: queries.jsonl
  judgements: { train: qrels-train.tsv, test: qrels-test.tsv, live: qrels-live.tsv }
gates:
  ndcg: { metric: ndcg, drop: 3%, samples: 100, window: ${WINDOW_SECONDS}s, within: 1h }
  latency: { metric: latency, above: 800, samples: 100, window: ${WINDOW_SECONDS}s, within: 5m }
  errors: { metric: errors, above: 0.1, samples: 100, window: ${WINDOW_SECONDS}s, within: 3m }
approval: { required: true, expires: 1h }
training: { trials: 60, time: 2m, seed: 7 }
canary:
  steps: [{ weight: 20% }, { analysis: quick }, { weight: 50% }, { analysis: quick }]
  background: null
  floor: 50
  analyses:
    quick:
      measures:
        - { name: ndcg, metric: ndcg, failure: "result.high < 97% * baseline.low", ${QUICK} }
        - { name: errors, metric: errors, failure: "result.low > baseline.high + 1%", ${QUICK} }
limits: { cyclesPerDay: 100, cooldown: 1s, running: 2 }
promises: { diagnose: 15m, augment: 30m, evaluate: 1h }
schedules:
  - { name: look, every: 1h, paused: true, reason: a regular look at the gates }
`;
