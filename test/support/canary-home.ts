/** The activities of a canary over real stores: a service with champion and challenger, and a log to fill. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type CanaryDeps, createCanaryActivities } from '../../activities/canary.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { routersOf } from '../../adapters/router/of-service.ts';
import { logVitals } from '../../adapters/vitals/log.ts';
import type { Judging, Measure } from '../../contracts/canary.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import type { Trial } from '../../contracts/trial.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const SERVICE = 'docs';
export const CYCLE = 'si_2026_11_21_001';
export const NOW = Date.UTC(2026, 10, 21, 12);
export const at = (ms: number): string => new Date(ms).toISOString();
/** Judged: `a` is what "how?" is about. */
const JUDGED = [{ id: '1', text: 'How?', judgements: { a: 1 } }];

export const canaryHome = async (over: Partial<CanaryDeps> = {}) => {
  const folder = temporaryFolder();
  const clock = { now: NOW };
  const now = () => clock.now;
  const control = sqliteControl(':memory:', now);
  const artifacts = folderArtifacts(join(folder, 'artifacts'));
  const queryLog = sqliteQueryLog(':memory:');
  onTestFinished(() => {
    control.close();
    queryLog.close();
  });
  const config = { folder, canary: null, router: null } as unknown as ServiceConfig;
  const services = { config: async () => config };
  const variables = {};
  const deps: CanaryDeps = {
    ...{ control, artifacts, queryLog, services, variables, now },
    vitals: logVitals({ queryLog, judged: async () => JUDGED }),
    routers: routersOf({ control, services, variables, now }),
    ...over,
  };
  const variant = async (settings: Partial<SearchSettings> = {}): Promise<string> => {
    const { id, artifact } = await saveVariant(artifacts, SERVICE, { ...DEFAULT_SETTINGS, ...settings });
    await control.addVariant({ id, service: SERVICE, artifact, origin: 'hand', createdAt: at(NOW) });
    return id;
  };
  const champion = await variant();
  const challenger = await variant({ stemming: true });
  const actor = { kind: 'person', name: 'ada' };
  const order = (key: string) => ({ key, service: SERVICE, actor, reason: 'for the test' });
  await control.register({ ...order('register'), champion });
  await control.setGold({ ...order('gold'), variant: champion });
  await control.arm(order('arm'));
  const serve = (rows: ReadonlyArray<Partial<ServedQuery>>) =>
    queryLog.append(
      rows.map((row) => ({
        ...{ at: NOW - 1_000, service: SERVICE, variant: champion, query: 'how?', ranked: ['a'] },
        ...{ latencyMs: 10, error: null, cost: 0.001 },
        ...row,
      })),
    );
  const trial: Trial = {
    ...{ service: SERVICE, cycle: CYCLE, environment: 'staging', champion, challenger },
    token: { epoch: 0, promotion: 1 },
    arms: [{ variant: champion, share: 1 }],
    evidence: 'e'.repeat(64),
    requestedBy: actor,
  };
  const since = at(NOW - 60_000);
  const window = { service: SERVICE, challenger, baseline: champion, since };
  const activities = createCanaryActivities(deps);
  return {
    ...activities,
    deps,
    control,
    artifacts,
    config,
    clock,
    variant,
    champion,
    challenger,
    serve,
    trial,
    window,
    order,
  };
};

export const measure = (over: Partial<Measure> = {}): Measure => ({
  ...{ name: 'latency', metric: 'latency', intervalMs: 10_000, count: 1, delayMs: 0, windowMs: 30_000, samples: 5 },
  ...{ success: null, failure: 'result > 1.5 * baseline', failureLimit: 0, inconclusiveLimit: 0, errorLimit: 4 },
  ...{ successes: null, missing: 'inconclusive', dryRun: false },
  ...over,
});

export const judging = (...metrics: ReadonlyArray<Pick<Judging['metrics'][number], 'metric' | 'worse'>>): Judging => ({
  metrics: metrics.map((one) => ({
    ...{ weight: 1, critical: true, mustHave: false, muted: false, tolerance: 0.1, outliers: null },
    ...one,
  })),
  ...{ intervalMs: 60_000, count: 1, delayMs: 0, confidence: 0.98, samples: 20, pass: 95, marginal: 75 },
});
