/** The part of `pawl.yaml` about trials in live traffic: A/B evaluation, canary, remedies. */
import { z } from 'zod';
import { AB_METHODS } from './ab.ts';
import { duration, hostAndPort, percentage, secretReference as secret } from './config-values.ts';
import { REMEDIES } from './remediation.ts';

const share = percentage.refine((value) => value > 0 && value <= 1, 'a share above 0 % and up to 100 %');
const metric = z.string().min(1).max(100);
const name = z.string().regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, 'lower-case letters, digits and dashes');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const abSettings = z
  .strictObject({
    ramp: z
      .array(share.refine((value) => value <= 0.5, 'at most 50 %: the control group is as large as the challenger'))
      .min(1)
      .default([0.01, 0.05, 0.1, 0.25, 0.5]),
    phase: duration.prefault('6h'),
    look: duration.prefault('1h'),
    window: duration.prefault('24h'),
    /** What subjects did before they were enrolled narrows the intervals; 0s: not used. */
    before: duration.prefault('7d'),
    minimum: duration.prefault('7d'),
    maximum: duration.prefault('28d'),
    wholeWeek: z.boolean().default(true),
    metric: metric.default('ndcg'),
    gain: percentage.default(0.03),
    guardrails: z.record(metric, percentage).default({ latency: 0.1, errors: 0.5, cost: 0.2 }),
    method: z.enum(AB_METHODS).default('confidence sequence'),
    alpha: z.number().gt(0).lt(0.5).default(0.05),
    harmAlpha: z.number().gt(0).lt(0.5).default(0.005),
    planned: z.int().min(10).default(2_000),
    fewest: z.int().min(2).default(100),
    undecided: z.enum(['keep', 'ask']).default('keep'),
    hold: duration.prefault('24h'),
  })
  .superRefine(({ ramp, look, minimum, maximum, alpha, harmAlpha }, found) => {
    const wrong = (key: string, message: string) => found.addIssue({ code: 'custom', path: [key], message });
    if (ramp.some((one, n) => n > 0 && one <= (ramp[n - 1] ?? 0))) wrong('ramp', 'shares that grow from step to step');
    if (look < MINUTE) wrong('look', 'at least a minute');
    if (maximum < minimum) wrong('maximum', 'at least as long as minimum');
    if (maximum > 366 * DAY) wrong('maximum', 'at most a year');
    if (harmAlpha > alpha) wrong('harmAlpha', 'at most alpha: harm is told from noise more strictly');
  });

const measure = z
  .strictObject({
    name,
    metric,
    every: duration.prefault('1m'),
    count: z.int().positive().nullable().default(null),
    /** Left out: as long as `every`; at the very start there is nothing to be seen. */
    delay: duration.optional(),
    window: duration.prefault('5m'),
    samples: z.int().positive().default(30),
    success: z.string().min(1).max(500).nullable().default(null),
    failure: z.string().min(1).max(500).nullable().default(null),
    failureLimit: z.int().nonnegative().default(0),
    inconclusiveLimit: z.int().nonnegative().default(0),
    errorLimit: z.int().nonnegative().default(4),
    successes: z.int().positive().nullable().default(null),
    missing: z.enum(['failed', 'inconclusive', 'error']).default('inconclusive'),
    dryRun: z.boolean().default(false),
  })
  .refine(
    ({ success, failure }) => success !== null || failure !== null,
    'a condition for success, for failure, or both',
  );

const judged = z.strictObject({
  metric,
  worse: z.enum(['higher', 'lower', 'either']),
  weight: z.number().nonnegative().default(1),
  critical: z.boolean().default(false),
  mustHave: z.boolean().default(false),
  muted: z.boolean().default(false),
  tolerance: percentage.default(0.05),
  outliers: z.number().positive().nullable().default(null),
});
const judge = z
  .strictObject({
    metrics: z.array(judged).min(1),
    every: duration.prefault('1m'),
    count: z.int().positive().nullable().default(null),
    /** Left out: as long as `every`; at the very start there is nothing to be seen. */
    delay: duration.optional(),
    confidence: z.number().gt(0.5).lt(1).default(0.98),
    samples: z.int().positive().default(50),
    pass: z.number().min(0).max(100).default(95),
    marginal: z.number().min(0).max(100).default(75),
  })
  .refine(({ pass, marginal }) => marginal <= pass, { path: ['marginal'], error: 'at most `pass`' });

const analysis = z
  .strictObject({ measures: z.array(measure).default([]), judge: judge.nullable().default(null) })
  .refine(({ measures, judge }) => measures.length > 0 || judge !== null, 'measures, a judge, or both');
export type AnalysisSettings = z.infer<typeof analysis>;

const comesToAnEnd = ({ measures, judge }: AnalysisSettings): boolean =>
  judge?.count != null ||
  measures.some(({ count, successes, dryRun }) => !dryRun && (count !== null || successes !== null));

const step = z.union(
  [
    z.strictObject({ weight: share }),
    z.strictObject({ pause: duration }),
    z.strictObject({ approval: z.literal(true) }),
    z.strictObject({ analysis: name }),
    z.strictObject({ mirror: share }),
    z.strictObject({ baseline: z.literal(true) }),
  ],
  { error: 'one of weight: 5%, pause: 10m, approval: true, analysis: NAME, mirror: 10%, baseline: true' },
);

const hook = z
  .strictObject({
    name,
    at: z.enum(['before', 'step', 'after']),
    url: z.url({ protocol: /^https?$/ }).optional(),
    secret: secret.optional(),
    allow: z.array(hostAndPort).default([]),
    activity: z.string().min(1).optional(),
    taskQueue: z.string().min(1).optional(),
    timeout: duration.prefault('10s'),
    decides: z.boolean().default(false),
  })
  .superRefine(({ url, secret, activity, taskQueue }, found) => {
    const wrong = (key: string, message: string) => found.addIssue({ code: 'custom', path: [key], message });
    if ((url === undefined) === (activity === undefined)) wrong('url', 'exactly one of url, activity');
    if (url !== undefined && secret === undefined) wrong('secret', 'where the secret is that signs it');
    if (activity !== undefined && taskQueue === undefined) wrong('taskQueue', 'the queue that the activity is on');
  });
export type HookSettings = z.infer<typeof hook>;

/** The built-in analyses have these names; a service may write its own under them. */
export const BUILT_IN_ANALYSES = ['standard', 'guard'] as const;

export const canarySettings = z
  .strictObject({
    steps: z.array(step).min(1),
    analyses: z.record(name, analysis).default({}),
    background: z
      .strictObject({ analysis: name, from: z.int().nonnegative().default(0) })
      .nullable()
      .prefault({ analysis: 'guard' }),
    hold: duration.prefault('24h'),
    floor: z.int().nonnegative().default(100),
    mustNotice: z.record(metric, share).optional(),
    rollbackWindow: z.int().nonnegative().default(0),
    hooks: z.array(hook).default([]),
    watch: z
      .strictObject({ for: duration, analysis: name.default('guard') })
      .nullable()
      .default(null),
  })
  .superRefine(({ steps, analyses, background, watch }, found) => {
    const known = new Set([...BUILT_IN_ANALYSES, ...Object.keys(analyses)]);
    const named: ReadonlyArray<readonly [PropertyKey[], string | undefined]> = [
      ...steps
        .map((one, n) => [['steps', n, 'analysis'], 'analysis' in one ? one.analysis : undefined] as const)
        .map(([path, of]): readonly [PropertyKey[], string | undefined] => [[...path], of]),
      [['background', 'analysis'], background?.analysis],
      [['watch', 'analysis'], watch?.analysis],
    ];
    for (const [path, of] of named)
      if (of !== undefined && !known.has(of))
        found.addIssue({ code: 'custom', path, message: `one of ${[...known].join(', ')}` });
    for (const [n, one] of steps.entries()) {
      const inline = 'analysis' in one ? analyses[one.analysis] : undefined;
      if (inline && !comesToAnEnd(inline))
        found.addIssue({
          code: 'custom',
          path: ['steps', n, 'analysis'],
          message: 'an analysis that comes to an end: a measure with count or successes, or a judge with count',
        });
    }
    const weights = steps.flatMap((one) => ('weight' in one ? [one.weight] : []));
    const twin = steps.findIndex((one) => 'baseline' in one);
    if (weights.length === 0) found.addIssue({ code: 'custom', path: ['steps'], message: 'at least one weight' });
    for (const [n, one] of steps.entries())
      if (twin >= 0 && 'weight' in one && one.weight > 0.5)
        found.addIssue({
          code: 'custom',
          path: ['steps', n, 'weight'],
          message: 'at most 50 % beside a baseline, which gets as much',
        });
    if (!steps.some((one) => 'analysis' in one) && background === null)
      found.addIssue({ code: 'custom', path: ['steps'], message: 'an analysis among them, or in the background' });
  });

export const remedySettings = z.strictObject({
  remedies: z.record(metric, z.array(z.enum(REMEDIES)).min(1)).default({
    latency: ['restart', 'scale', 'cheaper', 'previous', 'gold'],
    errors: ['restart', 'previous', 'gold'],
  }),
  settle: duration.prefault('60s'),
  look: duration.prefault('10s'),
  hooks: z
    .partialRecord(
      z.enum(['restart', 'scale']),
      z.strictObject({
        url: z.url({ protocol: /^https?$/ }),
        secret,
        allow: z.array(hostAndPort).default([]),
        timeout: duration.prefault('10s'),
      }),
    )
    .default({}),
  perHour: z.int().positive().default(3),
});
