/**
 * Asks variants too that nobody gets an answer of, so that it is known how they would do.
 *
 * 1. It begins when the answer was found and has been sent off; nothing of it reaches whoever asked, not its failure either.
 * 2. A few are under way at most. What goes over that is dropped and counted, and does not wait.
 * 3. It goes by the traffic row as that stands then, so a kill ends it like everything else.
 * 4. The variant itself is asked, not the cache of answers: how long it takes is what one wants to know.
 */
import { setImmediate as sent } from 'node:timers/promises';
import type { ServiceState } from '../contracts/traffic.ts';
import { mirrorsOf } from './assignment.ts';
import { type Attempt, attempt } from './attempt.ts';
import type { GatewayLogger } from './logger.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { SearchQuestion } from './search-engine.ts';
import type { Shelf } from './shelf.ts';

export const MOST_AT_ONCE = 4;

export interface Answered {
  readonly answer: string;
  /** The variants that answered. */
  readonly by: readonly string[];
  readonly row: ServiceState;
  readonly question: SearchQuestion;
  /** Keeps what came of asking a variant too, under the row that it was asked by. */
  readonly keep: (attempt: Attempt, row: ServiceState) => void;
}

export interface Mirror {
  /** Returns at once, and never throws. */
  copy(answered: Answered): void;
  /** Begins nothing more, and waits for what is under way, though not for longer than anybody waits for it. */
  settle(): Promise<void>;
}

export interface MirrorDeps {
  readonly service: string;
  readonly shelf: Pick<Shelf, 'ready'>;
  readonly state: () => Promise<ServiceState>;
  readonly metrics: Pick<GatewayMetrics, 'mirrored'>;
  readonly logger: GatewayLogger;
  readonly now: () => number;
  readonly patienceMs?: number | undefined;
}

export const createMirror = (deps: MirrorDeps): Mirror => {
  const { service, shelf, state, metrics, logger } = deps;
  const running = new Set<Promise<void>>();
  let busy = 0;
  let settling = false;
  const free = (): void => {
    busy--;
  };

  /** Gives what is still at work: whoever is too late to count works on all the same. */
  const ask = async (variant: string, { question, keep }: Answered): Promise<{ readonly work?: Promise<unknown> }> => {
    await sent();
    const row = await state();
    if (!row.arms.some((arm) => arm.variant === variant && (arm.mirror ?? 0) > 0)) return {};
    const ready = shelf.ready(variant);
    if (!ready) {
      metrics.mirrored(service, 'not loaded');
      return {};
    }
    let work: ReturnType<typeof ready.search> | undefined;
    const search = () => {
      work = ready.search(question);
      return work;
    };
    const tried = await attempt(variant, search, deps);
    keep(tried, row);
    metrics.mirrored(service, tried.found ? 'answered' : 'failed');
    if (!tried.found) logger.warn({ service, variant, err: tried.error }, 'a variant failed a mirrored question');
    return work ? { work } : {};
  };

  const begin = async (variant: string, answered: Answered): Promise<void> => {
    busy++;
    try {
      const { work } = await ask(variant, answered);
      if (work) work.then(free, free);
      else free();
    } catch (err) {
      free();
      logger.error({ service, variant, err }, 'a question could not be mirrored');
    }
  };

  const copy = (answered: Answered): void => {
    for (const variant of mirrorsOf(answered.row, answered.answer)) {
      if (answered.by.includes(variant)) continue;
      if (settling || busy >= MOST_AT_ONCE) {
        metrics.mirrored(service, 'dropped');
        continue;
      }
      const run = begin(variant, answered).finally(() => running.delete(run));
      running.add(run);
    }
  };

  return {
    copy,
    settle: async () => {
      settling = true;
      await Promise.all(running);
    },
  };
};
