/** An A/B evaluation whose subjects a test brings itself: each look finds more of them on the arms that serve. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { ControlStore } from '../../adapters/control/port.ts';
import type { AbActivities, AbLook, AbPlan, AbReport, AbSums, ArmSums, RatioSums } from '../../contracts/ab.ts';
import type { AbEnd, AbInput } from '../../contracts/ab-messages.ts';
import { abWorkflowId } from '../../contracts/ids.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import type { Trial } from '../../contracts/trial.ts';
import { evidenceOf } from './stages.ts';
import { challengerOf, championOf, type World } from './world.ts';

/** Quick: a look every moment, a phase as short as that, and as few subjects as can decide anything. */
export const quickAb: AbPlan = {
  ramp: [0.01, 0.05, 0.1, 0.25, 0.5],
  phaseMs: 150,
  lookMs: 100,
  windowMs: 1,
  beforeMs: 0,
  minimumMs: 1_000,
  maximumMs: 600_000,
  wholeWeek: false,
  metric: 'ndcg',
  gain: 0.03,
  guardrails: [],
  method: 'confidence sequence',
  alpha: 0.05,
  harmAlpha: 0.01,
  planned: 1_000,
  fewest: 20,
  undecided: 'keep',
  holdMs: 600_000,
};

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** As long as one is in life: a look every hour, a phase a day, a week at least. */
export const weekAb: AbPlan = {
  ...quickAb,
  phaseMs: DAY,
  lookMs: HOUR,
  windowMs: HOUR,
  minimumMs: 7 * DAY,
  maximumMs: 28 * DAY,
  wholeWeek: true,
  holdMs: 2 * DAY,
};

/**
 * Of so many subjects at each look the challenger gets its share, and as many of the champion's are enrolled beside them; a
 * subject's value is around the mean of its arm.
 */
export interface Subjects {
  readonly perLook: number;
  readonly champion: number;
  readonly challenger: number;
  readonly deviation: number;
  /** Part of the challenger's subjects that are lost, so that the ratio is not what was dealt. */
  readonly lost: number;
}
const usual: Subjects = { perLook: 2_000, champion: 0.4, challenger: 0.4, deviation: 0.05, lost: 0 };

const plus = (a: RatioSums | undefined, n: number, mean: number, deviation: number): RatioSums => {
  const sums = [n * mean, n, 0, 0] as const;
  const products = [n * (mean ** 2 + deviation ** 2), n * mean, 0, 0, n, 0, 0, 0, 0, 0];
  if (!a) return { n, sums, products };
  const [y, m, x, w] = a.sums;
  return {
    n: a.n + n,
    sums: [y + sums[0], m + sums[1], x, w],
    products: products.map((product, at) => product + (a.products[at] ?? 0)),
  };
};

const grown = (arm: ArmSums, n: number, mean: number, deviation: number, metrics: readonly string[]): ArmSums => ({
  enrolled: arm.enrolled + n,
  metrics: Object.fromEntries(metrics.map((metric) => [metric, plus(arm.metrics[metric], n, mean, deviation)])),
});

const nobody: ArmSums = { enrolled: 0, metrics: {} };
const nothing: AbSums = { phases: [], crossed: 0, unnamed: 0, until: 0 };

/** What the log would show after one more look, with the challenger at this share. */
export const afterLook = (look: AbLook, share: number, subjects: Partial<Subjects> = {}): AbSums => {
  const { perLook, champion, challenger, deviation, lost } = { ...usual, ...subjects };
  const { metrics } = look;
  const before = look.sums ?? nothing;
  const here = before.phases.find((phase) => phase.share === share) ?? { share, champion: nobody, challenger: nobody };
  const more = Math.round(perLook * share);
  const phase = {
    share,
    champion: grown(here.champion, more, champion, deviation, metrics),
    challenger: grown(here.challenger, Math.round(more * (1 - lost)), challenger, deviation, metrics),
  };
  return { ...before, phases: [...before.phases.filter((one) => one.share !== share), phase], until: look.now };
};

/** Looks that find subjects on the arms that serve then. */
export const looking =
  (control: ControlStore, subjects: Partial<Subjects> | ((nth: number, share: number) => Partial<Subjects>) = {}) =>
  async (look: AbLook): Promise<AbSums> => {
    const { arms = [] } = (await control.state(look.service)) ?? {};
    const share = arms.find(({ variant }) => variant === look.challenger)?.share ?? 0;
    const nth = (look.sums?.phases ?? []).reduce((sum, { champion }) => sum + champion.enrolled, 0);
    return share === 0
      ? (look.sums ?? nothing)
      : afterLook(look, share, typeof subjects === 'function' ? subjects(nth, share) : subjects);
  };

/** By default nobody is seen. */
export const abTo = (script: Partial<AbActivities> = {}): AbActivities => ({
  lookAtArms: async ({ sums }) => sums ?? nothing,
  expectAb: async () => ({
    subjectsPerDay: 1_000,
    subjectsNeeded: 9_000,
    days: 9,
    sentence: 'With your traffic this takes about 9 days.',
  }),
  alphaOf: async ({ alpha }) => ({ alpha: alpha / 2, nth: 1 }),
  keepAb: async (report: AbReport) => evidenceOf(JSON.stringify(report)),
  ...script,
});

export type AbHandle = WorkflowHandleWithFirstExecutionRunId<(input: AbInput) => Promise<AbEnd>>;

interface Place {
  readonly client: World['client'];
  readonly control: ControlStore;
}

/** As a cycle gives it: admitted, with nobody to ask, and with the lane. */
export const trialIn = async (control: ControlStore, service: string, changes: Partial<Trial> = {}): Promise<Trial> => {
  const cycle = changes.cycle ?? 'si_2026_11_21_001';
  const actor = { kind: 'person', name: 'ada' };
  const row = { service, cycle, actor, reason: 'for the test' };
  await control.note({ ...row, key: `${service}/${cycle}/admitted`, kind: 'cycle admitted', body: { approval: null } });
  const granted = await control.grant({ ...row, key: `${service}/${cycle}/lane` });
  if (granted.outcome === 'refused') throw new Error(granted.because);
  const { epoch, promotion, arms } = granted.state;
  return {
    ...{ service, cycle, environment: 'staging', token: { epoch, promotion }, arms },
    ...{ champion: championOf(service), challenger: challengerOf(service) },
    ...{ evidence: evidenceOf('offline').sha256, requestedBy: { kind: 'person', name: 'linus' } },
    ...changes,
  };
};

export const startAb = async (
  { client, control }: Place,
  service: string,
  {
    plan,
    trial,
    ...input
  }: Partial<Omit<AbInput, 'plan' | 'trial'>> & {
    readonly plan?: Partial<AbPlan>;
    readonly trial?: Partial<Trial>;
  } = {},
): Promise<AbHandle> => {
  const given = await trialIn(control, service, trial);
  const { cycle, environment } = given;
  return client.workflow.start<(input: AbInput) => Promise<AbEnd>>('abEvaluation', {
    workflowId: abWorkflowId(service, cycle),
    taskQueue: queues.control,
    typedSearchAttributes: attributesOf({ service, cycle, environment }),
    args: [{ trial: given, plan: { ...quickAb, ...plan }, ...input }],
  });
};
