import { z } from 'zod';
import { createAbActivities } from '../../activities/ab.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import type { AbExpectation, AbPlan } from '../../contracts/ab.ts';
import { PawlError } from '../../contracts/failures.ts';
import { abSettings } from '../../contracts/trial-config.ts';
import { abPlanOf } from '../../domain/trial-plans.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { bold, dim, head, type Line, percent, span, table, warn } from '../text.ts';

const GAINS = [0.03, 0.05, 0.1];
const DAY = 86_400_000;

interface Planned {
  readonly alpha: number;
  readonly nth: number;
  readonly expectations: ReadonlyArray<AbExpectation & { readonly gain: number }>;
}

export const abPlan = command({
  name: 'ab plan',
  about: 'say from the traffic of the last week how long an A/B evaluation would take',
  details:
    'For a gain of 3, 5 and 10 % and for the one that pawl.yaml asks for. The error that is left for this service counts: each evaluation that was looked at has spent some of it.',
  arguments: [SERVICE],
  options: [['--metric <name>', 'what is compared (ab.metric of pawl.yaml)']],
  examples: ['pawl ab plan', 'pawl ab plan docs --metric ndcg-from-clicks --json'],
  input: z.object({ service: serviceName, metric: z.string().min(1).max(100).optional() }),
  run: async ({ service: named, metric }, context) => {
    const service = await context.service(named);
    const { ab } = await context.config(service);
    const configured = abPlanOf(ab ?? abSettings.parse({}));
    const plan = metric === undefined ? configured : { ...configured, metric };
    const planned = await expected(context, service, plan);
    return {
      data: { service, metric: plan.metric, configured: ab !== null, maximumMs: plan.maximumMs, ...planned },
      lines: linesOf(service, plan, planned),
      next: ab === null ? [['Have cycles evaluate', 'docs/guide/ab.md']] : [['Start a cycle', 'pawl cycle start']],
    };
  },
});

const expected = async (
  context: Context,
  service: string,
  { metric, gain, alpha: whole }: AbPlan,
): Promise<Planned> => {
  const log = context.openLog();
  if (log === null) {
    throw new PawlError('NoData', `Nothing was asked of ${service} yet.`, {
      hint: 'Searches through the gateway (`pawl up`) are what this is told by.',
    });
  }
  try {
    const { queryLog, feedback } = log;
    const { control, artifacts } = context;
    const judged = async () => readJudgedQueries(await context.config(service), 'live');
    const { alphaOf, expectAb } = createAbActivities({
      ...{ queryLog, feedback, control, artifacts, judged, now: Date.now },
    });
    const { alpha, nth } = await alphaOf({ service, cycle: 'the next one', alpha: whole });
    const gains = [...new Set([gain, ...GAINS])].sort((a, b) => a - b);
    const expectations = await Promise.all(
      gains.map(async (one) => ({ gain: one, ...(await expectAb({ service, metric, gain: one, alpha })) })),
    );
    return { alpha, nth, expectations };
  } finally {
    log.close();
  }
};

const linesOf = (service: string, plan: AbPlan, { alpha, nth, expectations }: Planned): Line[] => {
  const [first] = expectations;
  return [
    [bold(service), `, by ${plan.metric}, of about ${first?.subjectsPerDay ?? 0} subjects a day`],
    [dim(`evaluation ${nth} since gold was vouched for, with an error of ${percent(alpha)}`)],
    ...table([
      head('shown gain', 'subjects', 'takes', ''),
      ...expectations.map(({ gain, subjectsNeeded, days }) => [
        gain === plan.gain ? bold(percent(gain)) : percent(gain),
        subjectsNeeded,
        days === null ? null : span(days * DAY),
        days !== null && days * DAY > plan.maximumMs ? warn(`longer than ab.maximum (${span(plan.maximumMs)})`) : '',
      ]),
    ]),
    [dim(`An evaluation runs for ${span(plan.minimumMs)} at least and ${span(plan.maximumMs)} at most.`)],
    ...expectations.filter(({ gain }) => gain === plan.gain).map(({ sentence }): Line => [sentence]),
  ];
};
