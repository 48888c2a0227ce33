import { z } from 'zod';
import { failures, PawlError } from '../../contracts/failures.ts';
import type { MatrixReport } from '../../drills/crash-matrix/matrix.ts';
import { command } from '../command.ts';
import { bad, dim, good, type Line, span, table } from '../text.ts';

const count = (most: number) => z.coerce.number('expected a number').int().min(1, 'expected at least 1').max(most);

export const drillMatrix = command({
  name: 'drill matrix',
  about: 'let every effect of a cycle fail in every way, seed by seed, each seed twice',
  details:
    'Real workflows on a Temporal server of its own, over the embedded stores in a temporary folder. Exit code 13 when something was found (the home is kept). docs/guide/drills.md lists the faults.',
  options: [
    ['--seeds <number>', 'how many seeds a fault point (25)'],
    ['--from <seed>', 'the first seed (1)'],
    ['--only <text>', 'fault points with this in their name'],
    ['--beside <number>', 'trials side by side (24)'],
    ['--restarts', 'take up each workflow from its history at each step, as after a restart of its worker'],
  ],
  examples: ['pawl drill matrix --seeds 25', 'pawl drill matrix --only "store: grant" --from 7 --seeds 1'],
  input: z.object({
    seeds: count(100_000).default(25),
    from: z.coerce.number('expected a number').int().min(0).default(1),
    only: z.string().default(''),
    beside: count(200).default(24),
    restarts: z.boolean().default(false),
  }),
  run: async ({ seeds, from, only, beside, restarts }, context) => {
    const [{ isClean, runMatrix }, { POINTS }] = await Promise.all([
      import('../../drills/crash-matrix/matrix.ts'),
      import('../../drills/crash-matrix/points.ts'),
    ]);
    process.once('SIGINT', () => process.exit(130));
    const points = POINTS.filter(({ name }) => name.includes(only));
    if (points.length === 0) {
      const hint = `There are: ${POINTS.map(({ name }) => name).join(', ')}.`;
      throw new PawlError('NotFound', `No fault point has ${JSON.stringify(only)} in its name.`, { hint });
    }
    const report = await context.out.progress('drill matrix', (detail) =>
      runMatrix({
        ...{ seeds, firstSeed: from, points, beside, forgetful: restarts },
        tell: ({ done, of, last }) =>
          detail(`${done} of ${of}: ${last.plan.point}, ${last.plan.fault.kind}: ${last.ends.join(', ')}`),
      }),
    );
    const clean = isClean(report);
    const { cells: _, ...data } = report;
    return {
      data: { clean, ...data },
      lines: linesOf(report, clean),
      exitCode: clean ? 0 : failures.Unhealthy.exitCode,
    };
  },
});

const linesOf = (report: MatrixReport, clean: boolean): Line[] => {
  const counts = (of: Readonly<Partial<Record<string, number>>>): string =>
    Object.entries(of)
      .map(([name, times]) => `${times} ${name}`)
      .join(', ');
  return [
    ...table([
      [dim('fault points'), report.points],
      [dim('trials'), `${report.cells.flatMap(({ runs }) => runs).length}, the fault happened in ${report.struck}`],
      [dim('cycles'), `${report.cycles}: ${counts(report.outcomes)}`],
      [dim('faults'), counts(report.kinds)],
      [dim('checker violations'), report.violations.length],
      [dim('without an end'), report.stuck.length],
      [dim('seeds that did not replay'), report.different.length],
      [dim('points never struck'), report.untouched.join(', ') || '0'],
      [dim('took'), span(report.tookMs)],
    ]),
    '',
    ...report.violations
      .slice(0, 20)
      .map(({ rule, service, what }): Line => [bad('✗ '), `${service}: ${rule}: ${what}`]),
    ...report.stuck
      .slice(0, 20)
      .map(({ plan, stuck }): Line => [bad('✗ '), `${plan.point}, seed ${plan.seed}: ${stuck}`]),
    ...report.different
      .slice(0, 20)
      .map(
        ({ plan, runs }): Line => [
          bad('✗ '),
          `${plan.point}, seed ${plan.seed}: ${runs.map(({ ends }) => ends.join(', ')).join(' / ')}`,
        ],
      ),
    [clean ? good('Every trial came to one legal end, and every seed to the same one.') : bad('Something was found.')],
    ...(clean ? [] : [[dim('  the home: '), report.home]]),
  ];
};
