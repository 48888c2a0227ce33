/** What a canary reads, keeps and asks. All of it may be repeated: it reads, or keeps what the same order makes again. */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import type { Routers } from '../adapters/router/of-service.ts';
import type { VitalsSource } from '../adapters/vitals/port.ts';
import type { CanaryActivities, PastChampion } from '../contracts/canary.ts';
import { CHAMPION_KINDS, championChanges, waysBack } from '../domain/champions.ts';
import { createDetectableActivities } from './canary-detectable.ts';
import { type CallDeps, createHookActivities } from './canary-hooks.ts';
import { challengerOf, createReadingActivities } from './canary-readings.ts';
import { createTwinActivities } from './canary-twin.ts';
import { failing } from './failure.ts';

export interface CanaryDeps extends CallDeps {
  readonly control: Pick<ControlStore, 'ledger' | 'variant' | 'addVariant'>;
  readonly artifacts: ArtifactStore;
  readonly vitals: VitalsSource;
  readonly queryLog: Pick<QueryLog, 'count'>;
  readonly routers: Pick<Routers, 'of'>;
}

export const createCanaryActivities = (deps: CanaryDeps): CanaryActivities =>
  failing({
    ...createReadingActivities(deps),
    ...createTwinActivities(deps),
    ...createHookActivities(deps),
    ...createDetectableActivities(deps),

    async countCanary(window) {
      return { requests: await deps.queryLog.count(challengerOf(window, deps.now())) };
    },

    async pastChampions({ service, most }) {
      const kinds = await Promise.all(CHAMPION_KINDS.map((kind) => deps.control.ledger({ service, kind })));
      const rows = kinds.flat().sort((a, b) => a.seq - b.seq);
      const changes = championChanges(rows);
      const present = changes.at(-1)?.variant;
      // What was left as broken is none that anybody should get back to without a trial.
      const sound = present === undefined ? [] : [present, ...waysBack(changes)];
      return sound.slice(0, most).flatMap((variant): PastChampion[] => {
        const change = changes.findLast((one) => one.variant === variant);
        const row = rows.find(({ seq }) => seq === change?.seq);
        return row === undefined ? [] : [{ variant, at: row.at, cycle: row.cycle }];
      });
    },

    async readRoute({ service }) {
      const router = await deps.routers.of(service);
      return (await router.read(service))?.arms ?? null;
    },

    keepCanary: (report) => deps.artifacts.putJson({ stage: 'canary', ...report }),
  });
