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

/** What goes on beside the requests: loading what the traffic rows name, taking up a new corpus, forgetting old rows. */
export const upkeep = ({ services, queryLog, logger, now, retentionMs }: UpkeepDeps): (() => Promise<void>) => {
  const prepare = async (): Promise<void> => {
    for (const service of services) {
      await service.engine.renew();
      await service.prepare();
    }
  };
  const prune = async (): Promise<void> => {
    try {
      const rows = await queryLog.prune(now() - retentionMs);
      if (rows > 0) logger.info({ rows }, 'old served queries were forgotten');
    } catch (err) {
      logger.warn({ err }, 'old served queries could not be forgotten yet');
    }
  };
  const stops = [repeat(prepare, PREPARE_MS), repeat(prune, PRUNE_MS)];
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
};

/** At once, and again so long after each end; stopping waits for the one that runs. */
const repeat = (work: () => Promise<void>, everyMs: number): (() => Promise<void>) => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const go = (): void => {
    running = work().finally(() => {
      if (!stopped) timer = setTimeout(go, everyMs).unref();
    });
  };
  go();
  return () => {
    stopped = true;
    clearTimeout(timer);
    return running;
  };
};
