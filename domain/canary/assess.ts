/**
 * What one measurement means.
 *
 * 1. It passes only where every number that its conditions name was measured, from enough requests.
 * 2. Where both conditions hold, the one for failure counts.
 */
import type { AnalysisOutcome, Measure, MeasuredValue, Measurement } from '../../contracts/canary.ts';
import { type Measured, parseCondition, truthOf } from './condition.ts';

export const assess = (measure: Measure, measurement: Measurement): AnalysisOutcome => {
  if (measurement.error !== null) return 'error';
  const result = enough(measure, measurement.result);
  if (result === null) return measure.missing;
  const about = { result, baseline: enough(measure, measurement.baseline) };
  const [success, failure] = [truthIn(measure.success, about), truthIn(measure.failure, about)];
  if (success === 'unreadable' || failure === 'unreadable') return 'error';
  if (failure === true) return 'failed';
  if (success === 'missing' || failure === 'missing') return measure.missing;
  if (success === true) return 'passed';
  if (measure.failure === null) return measure.success === null ? 'inconclusive' : 'failed';
  return measure.success === null ? 'passed' : 'inconclusive';
};

/** null: too few requests, or a number among it that is none. */
const enough = ({ samples }: Measure, measured: MeasuredValue | null): MeasuredValue | null => {
  if (measured === null) return null;
  const { value, low, high, n } = measured;
  const whole = [value, low, high, n].every((one) => typeof one === 'number' && Number.isFinite(one));
  return whole && n >= samples ? measured : null;
};

/** null: there is no such condition. A plan that was not checked may hold one that nobody can read: that is an error. */
const truthIn = (condition: string | null, about: Measured): boolean | 'missing' | 'unreadable' | null => {
  if (condition === null) return null;
  try {
    return truthOf(parseCondition(condition), about);
  } catch {
    return 'unreadable';
  }
};
