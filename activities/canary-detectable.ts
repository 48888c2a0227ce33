/** What a canary would notice, by the traffic that the champion has had of late. */
import type { QueryLog } from '../adapters/query-log/port.ts';
import type { VitalsSource } from '../adapters/vitals/port.ts';
import type { CanaryActivities } from '../contracts/canary.ts';
import { detectableOf } from '../domain/canary/detectable.ts';
import { judgedTraffic } from '../domain/canary/judged-traffic.ts';

export interface DetectableDeps {
  readonly vitals: Pick<VitalsSource, 'series'>;
  readonly queryLog: Pick<QueryLog, 'count'>;
  now(): number;
}

/** A service that is younger has had less traffic by it than it will have: it is promised too little, never too much. */
const LATELY_MINUTES = 60;

export const createDetectableActivities = (deps: DetectableDeps): Pick<CanaryActivities, 'detectable'> => ({
  // Safe to repeat: it reads.
  async detectable({ trial: { service, champion }, plan }) {
    const to = deps.now();
    const window = { service, variant: champion, from: to - LATELY_MINUTES * 60_000, to };
    const requests = await deps.queryLog.count(window);
    const requestsPerMinute = requests / LATELY_MINUTES;
    const judged = judgedTraffic(plan);
    if (judged === null) {
      const sentence =
        'Nothing in this canary compares distributions: what it notices is what the conditions of its measures say.';
      return { requestsPerMinute, effects: [], sentence };
    }
    const { judging, ...traffic } = judged;
    const seriesOf = (metric: string) => deps.vitals.series({ ...window, metric });
    const series = judging.metrics.map(async ({ metric }) => ({ metric, values: await seriesOf(metric) }));
    // The newest are read where there are very many, so what a request brings is told by the requests among those.
    const [all, { length: among }] = await Promise.all([Promise.all(series), seriesOf('errors')]);
    const champions = Object.fromEntries(
      all.map(({ metric, values }) => {
        const perRequest = among > 0 ? Math.min(1, values.length / among) : 1;
        return [metric, { champion: { values }, perRequest }];
      }),
    );
    return detectableOf({ requestsPerMinute, ...traffic }, judging, champions);
  },
});
