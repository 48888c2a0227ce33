import { z } from 'zod';
import { failures } from '../../contracts/failures.ts';
import type { CrashOptions, CrashProgress } from '../../drills/real-kills/crash.ts';
import type { CrashReport, Spread } from '../../drills/real-kills/report.ts';
import type { Role } from '../../drills/real-kills/roles.ts';
import { command } from '../command.ts';
import { bad, bold, dim, good, head, type Line, span, table, warn } from '../text.ts';

const GROUPS: Readonly<Record<string, readonly Role[]>> = {
  worker: ['worker-control', 'worker-data', 'worker-train'],
  gateway: ['gateway'],
  temporal: ['temporal'],
  store: ['store'],
};
const ONLY = `expected a list of ${Object.keys(GROUPS).join(', ')}`;

export const drillCrash = command({
  name: 'drill crash',
  about: 'kill real processes with -9 under load, and see whether anything is lost or done twice',
  details:
    'On a home of its own in a temporary folder, never on yours. Exit code 13 when something was found (the home is kept), 11 when the run is void: it stayed below its load floor. docs/guide/drills.md says what is killed and how to read the table.',
  options: [
    ['--n <kills>', 'how many kills (20)'],
    ['--seed <number>', 'which order and moments (1)'],
    ['--only <list>', 'worker, gateway, temporal, store; several with commas'],
  ],
  examples: ['pawl drill crash --n 500', 'pawl drill crash --n 50 --only worker,store --seed 7'],
  input: z.object({
    n: z.coerce.number('expected a number').int().min(1, 'expected at least 1').max(100_000).default(20),
    seed: z.coerce.number('expected a number').int().min(0).default(1),
    only: z
      .string()
      .transform((text) => text.split(',').map((name) => name.trim()))
      .refine((names) => names.every((name) => name in GROUPS), ONLY)
      .optional(),
  }),
  run: async ({ n, seed, only }, context) => {
    const { runCrash } = await import('../../drills/real-kills/crash.ts');
    // What was started is ended with this process.
    process.once('SIGINT', () => process.exit(130));
    const roles = only?.flatMap((name) => GROUPS[name] ?? []);
    const options: CrashOptions = { kills: n, seed, ...(roles && { roles }) };
    const report = await context.out.progress('drill crash', (detail) =>
      runCrash({ ...options, tell: (progress) => detail(lineOf(progress)) }),
    );
    const codes = { passed: 0, failed: failures.Unhealthy.exitCode, void: failures.NoData.exitCode };
    return { data: report, lines: linesOf(report), exitCode: codes[report.verdict] };
  },
});

const lineOf = ({ what, done, of, last }: CrashProgress): string => {
  if (what === 'starting') return 'starting a home of its own';
  if (what === 'calm') return 'what it does without kills';
  if (what === 'draining') return 'waiting for the last cycles';
  const after = last?.recoveryMs === null ? 'never useful again' : `useful again after ${span(last?.recoveryMs ?? 0)}`;
  return `${done} of ${of}: ${last?.role} killed, ${after}`;
};

const VERDICTS = {
  passed: good('Passed: nothing was lost, nothing was done twice.'),
  failed: bad('Failed.'),
  void: warn('Void: too little was tried for this to count.'),
} as const;

const linesOf = (report: CrashReport): Line[] => {
  const { roles, recovery, cost, calmCycle, outcomes, load, searches, violations } = report;
  const seconds = ({ median, p95, max }: Spread) => [median, p95, max].map((value) => `${value} s`);
  return [
    ...table([
      head('killed', 'kills', 'in mid-stage', 'useful again: median', 'p95', 'max'),
      ...roles.map(({ role, kills, midStage, recovery: of }) => [role, kills, midStage, ...seconds(of)]),
      [bold('all'), report.kills, load.midStage, ...seconds(recovery)],
    ]),
    '',
    ...table([
      [dim('cost of a kill'), `median, p95, max: ${seconds(cost).join(', ')} beyond a calm cycle's ${calmCycle} s`],
      [
        dim('cycles'),
        `${report.cycles}: ${Object.entries(outcomes)
          .map(([end, times]) => `${times} ${end}`)
          .join(', ')}`,
      ],
      [dim('requests turned away'), report.refused],
      [dim('lost, done twice'), `${report.lost}, ${report.doubled}`],
      [dim('checker violations'), violations.length],
      [dim('searches'), `${searches.answered} answered, ${searches.failed} failed`],
      [
        dim('answered, not in the log'),
        `${searches.untold} in the last second before a kill, ${searches.lost} otherwise`,
      ],
      [
        dim('load'),
        `${load.killing.cycles} cycles a minute (calm ${load.calm.cycles}), ${load.killing.searches} searches a second (calm ${load.calm.searches})`,
      ],
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
