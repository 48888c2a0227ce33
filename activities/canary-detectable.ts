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

const LATELY_MS = 3_600_000;
const SHORTEST_MS = 60_000;

export const createDetectableActivities = (deps: DetectableDeps): Pick<CanaryActivities, 'detectable'> => ({
  // Safe to repeat: it reads.
  async detectable({ trial: { service, champion }, plan }) {
    const to = deps.now();
    const ms = await spanOf(deps, { service, variant: champion }, to);
    const window = { service, variant: champion, from: to - ms, to };
    const requests = await deps.queryLog.count(window);
    const requestsPerMinute = requests / (ms / 60_000);
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

/**
 * How far back the traffic of a champion goes that has not served for so long: halved until its older half is not empty. It is
 * promised too little by that, never too much.
 */
const spanOf = async (
  { queryLog }: DetectableDeps,
  of: { readonly service: string; readonly variant: string },
  to: number,
): Promise<number> => {
  let ms = LATELY_MS;
  while (ms > SHORTEST_MS && (await queryLog.count({ ...of, from: to - ms, to: to - ms / 2 })) === 0) ms /= 2;
  return ms;
};
