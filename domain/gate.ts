/**
 * One gate over one reading.
 *
 * 1. No reading, too few samples, or (for a drop) no baseline is 'no data': neither a breach nor a pass.
 * 2. A drop is a breach only when it is larger than the limit and noise does not explain it: the 95 % interval of the
 *    difference to the baseline lies wholly on the worse side.
 * 3. An absolute limit is a promise about the reading itself; being beyond it is a breach.
 */
import { type Gate, type GateFinding, HIGHER_IS_BETTER, type Reading, type Vitals } from '../contracts/vitals.ts';

type Judgement = Pick<GateFinding, 'state' | 'limit' | 'baseline' | 'because'>;

export function judgeGate(gate: Gate, vitals: Vitals, baseline: Vitals | null): GateFinding {
  const reading = vitals.readings[gate.metric];
  const base = baseline?.readings[gate.metric];
  return {
    gate: gate.name,
    metric: gate.metric,
    value: reading?.value ?? null,
    n: reading?.n ?? 0,
    withinMs: gate.withinMs,
    ...judge(gate, reading, base),
  };
}

function judge(gate: Gate, reading: Reading | undefined, base: Reading | undefined): Judgement {
  const limit = limitOf(gate, base);
  const known = { limit, baseline: base?.value ?? null };
  if (reading === undefined) return { ...known, state: 'no data', because: `no reading of ${gate.metric}` };
  if (reading.n < gate.samples) {
    const because = `${reading.n} samples of ${gate.metric}, ${gate.samples} are needed`;
    return { ...known, state: 'no data', because };
  }
  if ('drop' in gate.rule) return { ...known, ...judgeDrop(gate.metric, gate.rule.drop, reading, base) };
  const beyond = 'above' in gate.rule ? reading.value > gate.rule.above : reading.value < gate.rule.below;
  const side = 'above' in gate.rule ? 'above' : 'below';
  const because = `${gate.metric} ${show(reading.value)} is ${beyond ? '' : 'not '}${side} ${show(limit ?? 0)}`;
  return { ...known, state: beyond ? 'breach' : 'pass', because };
}

function judgeDrop(
  metric: string,
  drop: number,
  reading: Reading,
  base: Reading | undefined,
): Pick<Judgement, 'state' | 'because'> {
  if (base === undefined) return { state: 'no data', because: `no baseline of ${metric} to compare with` };
  if (base.value <= 0) return { state: 'no data', because: `the baseline of ${metric} is ${show(base.value)}` };
  const { loss, surely } = lossAgainst(metric, reading, base);
  const figures = `${metric} ${show(reading.value)} against ${show(base.value)} at the baseline`;
  if (loss <= drop) {
    return { state: 'pass', because: `${figures}: ${loss > 0 ? `${percent(loss)} worse` : 'no worse'}` };
  }
  if (!surely) return { state: 'pass', because: `${figures}: ${percent(loss)} worse, which noise can explain` };
  return { state: 'breach', because: `${figures}: ${percent(loss)} worse, ${percent(drop)} is allowed` };
}

/** Relative loss (positive is worse), and whether the interval of the difference excludes 0. */
export function lossAgainst(metric: string, reading: Reading, base: Reading): { loss: number; surely: boolean } {
  const sign = HIGHER_IS_BETTER.has(metric) ? 1 : -1;
  const worse = sign * (base.value - reading.value);
  const margin =
    sign > 0
      ? Math.hypot(reading.high - reading.value, base.value - base.low)
      : Math.hypot(reading.value - reading.low, base.high - base.value);
  return { loss: worse / Math.abs(base.value), surely: worse - margin > 0 };
}

function limitOf(gate: Gate, base: Reading | undefined): number | null {
  if ('above' in gate.rule) return gate.rule.above;
  if ('below' in gate.rule) return gate.rule.below;
  if (base === undefined) return null;
  return base.value * (HIGHER_IS_BETTER.has(gate.metric) ? 1 - gate.rule.drop : 1 + gate.rule.drop);
}

const show = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(3)));
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
