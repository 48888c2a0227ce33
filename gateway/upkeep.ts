import type { QueryLog } from '../adapters/query-log/port.ts';
import type { GatewayLogger } from './logger.ts';
import type { ServedService } from './served-service.ts';

const PREPARE_MS = 1_000;
const PRUNE_MS = 3_600_000;

export interface UpkeepDeps {
  readonly services: readonly ServedService[];
  readonly queryLog: Pick<QueryLog, 'prune'>;
  readonly logger: GatewayLogger;
  readonly now: () => number;
  readonly retentionMs: number;
}

/**
 * What goes on beside the requests: loading what the traffic rows name, taking up changed documents, forgetting old rows.
 *
 * Each service has turns of its own, and so have loading and taking up: an index of many documents may take minutes, and
 * a variant that a row names meanwhile does not wait for it. Only the first loading does, since there is nothing before.
 */
export const upkeep = ({ services, queryLog, logger, now, retentionMs }: UpkeepDeps): (() => Promise<void>) => {
  const prune = async (): Promise<void> => {
    try {
      const rows = await queryLog.prune(now() - retentionMs);
      if (rows > 0) logger.info({ rows }, 'old served queries were forgotten');
    } catch (err) {
      logger.warn({ err }, 'old served queries could not be forgotten yet');
    }
  };
  const turns = services.flatMap((service) => {
    const renewing = repeat(() => service.engine.renew(), PREPARE_MS);
    const preparing = repeat(async () => {
      await renewing.first;
      await service.prepare();
    }, PREPARE_MS);
    return [renewing, preparing];
  });
  turns.push(repeat(prune, PRUNE_MS));
  return async () => {
    await Promise.all(turns.map(({ stop }) => stop()));
  };
};

interface Turns {
  /** When the work was done once. */
  readonly first: Promise<void>;
  /** Waits for the turn that runs. */
  stop(): Promise<void>;
}

/** At once, and again so long after each end. */
const repeat = (work: () => Promise<void>, everyMs: number): Turns => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void>;
  const go = (): Promise<void> => {
    running = work().finally(() => {
      if (!stopped) timer = setTimeout(go, everyMs).unref();
    });
    return running;
  };
  return {
    first: go(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
};
