/** The sums of an evaluation, and what a look adds to them. */
import type { AbSums, ArmSums } from '../../contracts/ab.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { emptyRatio, type Subject, withSubjects } from '../statistics/ratio.ts';

type Phase = AbSums['phases'][number];
export type ArmName = Exclude<keyof Phase, 'share'>;

interface Enrolled {
  readonly phase: number;
  readonly arm: ArmName;
}
/** A subject whose window has ended; a metric of which it has no answers is absent. */
export interface Looked extends Enrolled {
  readonly metrics: ReadonlyArray<readonly [Metric, Subject]>;
}

export const fresh = (since: number): AbSums => ({ phases: [], crossed: 0, unnamed: 0, until: since });

export const withEnrolled = (phases: AbSums['phases'], { phase, arm }: Enrolled, subjects: number): AbSums['phases'] =>
  changed(phases, { phase, arm }, (sums) => ({ ...sums, enrolled: sums.enrolled + subjects }));

export const withLooked = (phases: AbSums['phases'], looked: readonly Looked[]): AbSums['phases'] =>
  [...Map.groupBy(looked, ({ phase, arm }) => `${arm} ${phase}`).values()].reduce((sums, of) => {
    const [first] = of;
    return first ? changed(sums, first, (arm) => added(arm, of)) : sums;
  }, phases);

const added = (sums: ArmSums, looked: readonly Looked[]): ArmSums => {
  const values = Map.groupBy(
    looked.flatMap(({ metrics }) => metrics),
    ([metric]) => metric,
  );
  const metrics = [...values].map(([metric, of]) => [
    metric,
    withSubjects(
      sums.metrics[metric] ?? emptyRatio(),
      of.map(([, subject]) => subject),
    ),
  ]);
  return { ...sums, metrics: { ...sums.metrics, ...Object.fromEntries(metrics) } };
};

const NOBODY: ArmSums = { enrolled: 0, metrics: {} };

const changed = (
  phases: AbSums['phases'],
  { phase, arm }: Enrolled,
  change: (sums: ArmSums) => ArmSums,
): AbSums['phases'] => {
  const known = phases.find(({ share }) => share === phase) ?? { share: phase, champion: NOBODY, challenger: NOBODY };
  return [...phases.filter(({ share }) => share !== phase), { ...known, [arm]: change(known[arm]) }].sort(
    (a, b) => a.share - b.share,
  );
};
