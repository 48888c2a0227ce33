import { z } from 'zod';
import { failures } from '../../contracts/failures.ts';
import type { Check } from '../../infra/doctor/check.ts';
import { command } from '../command.ts';
import { findHome } from '../home.ts';
import type { Reply } from '../output.ts';
import { bad, dim, good, type Line, warn } from '../text.ts';

export const doctor = command({
  name: 'doctor',
  about: 'check everything that Pawl needs, and say how to mend what is not right',
  details:
    'Node, Temporal, its namespace and search attributes, the workers, disk, clock, ports, store, caches. Exit code 13 when a check fails.',
  examples: ['pawl doctor', 'pawl doctor --json'],
  input: z.object({}),
  run: async (_, context) => {
    // The machine can be looked at before there is a home.
    context.useHome(findHome(context.homeSources)?.folder ?? context.homeSources.folder);
    const { isHealthy, runChecks } = await import('../../infra/doctor/checks.ts');
    const checks = await context.out.progress('checking', () => runChecks(context.environment));
    const healthy = isHealthy(checks);
    return {
      data: { healthy, checks },
      lines: [...checks.flatMap(linesOf), '', healthy ? [good('Nothing stands in the way.')] : summaryOf(checks)],
      next: nextOf(healthy),
      exitCode: healthy ? 0 : failures.Unhealthy.exitCode,
    };
  },
});

const MARKS = { ok: good('✓'), warning: warn('!'), failed: bad('✗') } as const;

const linesOf = ({ name, state, found, mend }: Check): Line[] => [
  ...found
    .split('\n')
    .map((line, at): Line => (at === 0 ? [MARKS[state], ` ${name.padEnd(20)} `, line] : [' '.repeat(23), line])),
  ...(mend === null ? [] : [[dim(`  → ${mend}`)]]),
];

const summaryOf = (checks: readonly Check[]): string => {
  const failed = checks.filter(({ state }) => state === 'failed').length;
  return `${failed} ${failed === 1 ? 'check' : 'checks'} failed; the line below each says how to mend it.`;
};

const nextOf = (healthy: boolean): NonNullable<Reply['next']> =>
  healthy ? [['See your services', 'pawl status']] : [['Then look again', 'pawl doctor']];
