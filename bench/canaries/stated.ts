/** What canaries of this traffic notice, worked out from the traffic of the champion before anything is tried. */
import { setTimeout as pause } from 'node:timers/promises';
import { detectableOf, type Noticed } from '../../domain/canary/detectable.ts';
import { judgedTraffic } from '../../domain/canary/judged-traffic.ts';
import { canaryPlanOf } from '../../domain/trial-plans.ts';
import { environmentAt } from '../../infra/setup/environment.ts';
import { openHome } from '../../workers/home.ts';
import { PLANS } from './ladder.ts';
import type { Scene } from './scene.ts';

const WARM_UP_MS = 3_000;
const CALM_MS = 12_000;
/** Of the calm's traffic, what is counted on: the cycles themselves need some of the machine. */
const COUNTED_ON = 0.75;

export interface Stated {
  readonly effects: readonly Noticed[];
  /** The traffic of each service that this is said of. */
  readonly perSecond: number;
  readonly sentence: string;
}

/** By plan, of the slowest service that has it. */
export const stated = async ({ home, places }: Scene): Promise<ReadonlyMap<string, Stated>> => {
  for (const { visitors } of places) visitors.start();
  await pause(WARM_UP_MS);
  const from = Date.now();
  await pause(CALM_MS);
  const to = Date.now();
  const deps = openHome(environmentAt(home.home));
  try {
    const found = new Map<string, Stated>();
    for (const { plan } of PLANS) {
      const rates = places
        .filter(({ asking }) => asking.plan === plan)
        .map(({ service, visitors }) => {
          const calm = visitors.visits.filter(({ askedAt }) => askedAt >= from && askedAt < to);
          return { service, perSecond: (COUNTED_ON * 1_000 * calm.length) / (to - from) };
        })
        .sort((a, b) => a.perSecond - b.perSecond);
      const { service = '', perSecond = 0 } = rates[0] ?? {};
      const variant = (await home.control.state(service))?.champion ?? '';
      const { canary } = await deps.services.config(service);
      const judged = canary && judgedTraffic(canaryPlanOf(canary));
      if (!judged) throw new Error(`the plan of ${service} judges nothing`);
      const { judging, ...traffic } = judged;
      const champions = Object.fromEntries(
        await Promise.all(
          judging.metrics.map(async ({ metric }) => {
            const values = await deps.vitals.series({ service, variant, from, to, metric });
            return [metric, { champion: { values } }] as const;
          }),
        ),
      );
      const { effects, sentence } = detectableOf({ requestsPerMinute: 60 * perSecond, ...traffic }, judging, champions);
      found.set(plan, { effects, perSecond, sentence });
    }
    return found;
  } finally {
    deps.close();
  }
};
