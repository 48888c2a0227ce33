import { z } from 'zod';
import { failures, PawlError } from '../../contracts/failures.ts';
import type { ScenarioReport } from '../../drills/scenarios/report.ts';
import { command } from '../command.ts';
import { bad, bold, dim, good, head, type Line, span, table, warn } from '../text.ts';

export const drillRun = command({
  name: 'drill run',
  about: 'let something go wrong on purpose, and see how soon it is mended',
  details:
    'On a home of its own in a temporary folder, with real processes and visitors, never on yours. Without a name it lists what there is. Exit code 13 when it did not end as it must (the home is kept), 11 when there was too little traffic to tell. docs/guide/drills.md says what each does.',
  arguments: [['[name]', 'such as bad-canary-slow']],
  examples: ['pawl drill run', 'pawl drill run bad-canary-slow', 'pawl drill run store-locked --json'],
  input: z.object({ name: z.string().optional() }),
  run: async ({ name }, context) => {
    const { SCENARIOS } = await import('../../drills/scenarios/scenes.ts');
    if (name === undefined) {
      return {
        data: SCENARIOS.map(({ name, about, ends }) => ({ name, about, ends })),
        lines: table([head('name', 'what goes wrong'), ...SCENARIOS.map(({ name, about }) => [name, about])]),
        next: [['Run one', 'pawl drill run bad-canary-slow']],
      };
    }
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (!scenario) {
      throw new PawlError('NotFound', `There is no drill "${name}".`, {
        hint: `Expected one of ${SCENARIOS.map((one) => one.name).join(', ')}.`,
      });
    }
    const { runScenario } = await import('../../drills/scenarios/run.ts');
    // What was started is ended with this process.
    process.once('SIGINT', () => process.exit(130));
    const report = await context.out.progress(`drill ${name}`, (tell) => runScenario({ scenario, tell }));
    const codes = { passed: 0, failed: failures.Unhealthy.exitCode, void: failures.NoData.exitCode };
    return { data: report, lines: linesOf(report), exitCode: codes[report.verdict] };
  },
});

const VERDICTS = {
  passed: good('Passed.'),
  failed: bad('Failed.'),
  void: warn('Void: too little was tried for this to count.'),
} as const;

const linesOf = (report: ScenarioReport): Line[] => {
  const { visits, violations, outcome, reason } = report;
  const time = (ms: number | null): string => (ms === null ? 'never' : span(ms));
  return [
    [bold(report.scenario), ': ', report.about],
    ...table([
      [dim('noticed after'), time(report.noticedMs)],
      [dim('champion after'), time(report.championMs)],
      [dim('from the verdict'), time(report.verdictToChampionMs)],
      [dim('the cycle ended as'), `${outcome ?? 'nothing'}: ${reason}`],
      [dim('visits'), `${visits.all}, ${visits.sinceFault} since it went wrong`],
      [dim('of these failed'), `${visits.failed}; ${visits.byChallenger} were answered by the challenger`],
      [dim('slowest answer'), span(report.slowestMs)],
      [dim('checker violations'), violations.length],
    ]),
    '',
    ...violations
      .slice(0, 20)
      .map(({ rule, seq, what }): Line => [bad('✗ '), `${rule} (row ${seq ?? 'none'}): ${what}`]),
    [VERDICTS[report.verdict]],
    ...report.because.map((because): Line => `  ${because}`),
    ...(report.verdict === 'passed' ? [] : [[dim('  the home: '), report.home]]),
  ];
};
