/**
 * Champion and challenger under live traffic, side by side.
 *
 * 1. Too few judged queries or requests on either arm is 'no data', which is never healthy.
 * 2. Degraded is what noise does not explain: quality lower by more than allowed, more errors than the champion has, or
 *    an absolute gate that the challenger breaks and the champion does not.
 */
import type { Watching } from '../contracts/stages.ts';
import type { Gate, Vitals } from '../contracts/vitals.ts';
import { judgeGate, lossAgainst } from './gate.ts';

export interface WatchRule {
  readonly samples: number;
  readonly maxDrop: number;
  readonly gates: readonly Gate[];
}

export function judgeWatch(champion: Vitals, challenger: Vitals, rule: WatchRule): Pick<Watching, 'state' | 'reasons'> {
  const worse = [
    ...quality(champion, challenger, rule),
    ...errors(champion, challenger, rule),
    ...limits(champion, challenger, rule),
  ];
  if (worse.length > 0) return { state: 'degraded', reasons: worse };
  const missing = [...blind('the champion', champion, rule), ...blind('the challenger', challenger, rule)];
  if (missing.length > 0) return { state: 'no data', reasons: missing };
  return { state: 'healthy', reasons: [compared(champion, challenger)] };
}

/** Samples of the ranking and of the requests at all. */
function blind(arm: string, { readings }: Vitals, { samples }: WatchRule): string[] {
  return (['ndcg', 'errors'] as const).flatMap((metric) => {
    const n = readings[metric]?.n ?? 0;
    return n >= samples ? [] : [`${arm} has ${n} samples of ${metric}, ${samples} are needed`];
  });
}

function quality(champion: Vitals, challenger: Vitals, { samples, maxDrop }: WatchRule): string[] {
  const gate: Gate = { name: 'watch', metric: 'ndcg', rule: { drop: maxDrop }, samples, windowMs: 0, withinMs: 0 };
  if ((champion.readings.ndcg?.n ?? 0) < samples) return [];
  const found = judgeGate(gate, challenger, champion);
  return found.state === 'breach' ? [`against the champion, ${found.because}`] : [];
}

function errors(champion: Vitals, challenger: Vitals, { samples }: WatchRule): string[] {
  const [base, reading] = [champion.readings.errors, challenger.readings.errors];
  if (base === undefined || reading === undefined || Math.min(base.n, reading.n) < samples) return [];
  if (!lossAgainst('errors', reading, base).surely) return [];
  return [`${share(reading.value)} of the challenger's requests fail, ${share(base.value)} of the champion's`];
}

function limits(champion: Vitals, challenger: Vitals, { gates }: WatchRule): string[] {
  return gates
    .filter(({ rule }) => !('drop' in rule))
    .filter((gate) => judgeGate(gate, champion, null).state !== 'breach')
    .map((gate) => judgeGate(gate, challenger, null))
    .flatMap(({ state, gate, because }) => (state === 'breach' ? [`gate ${gate}: ${because}`] : []));
}

function compared(champion: Vitals, challenger: Vitals): string {
  const [base, reading] = [champion.readings.ndcg, challenger.readings.ndcg];
  return `ndcg ${reading?.value.toFixed(3)} (${reading?.n} samples) against ${base?.value.toFixed(3)} (${base?.n}) of the champion`;
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
