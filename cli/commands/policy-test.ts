import { join } from 'node:path';
import { z } from 'zod';
import { SHIPPED_POLICIES } from '../../adapters/policy/files.ts';
import { readTables, type TableResult, tryTables } from '../../adapters/policy/tables.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { command } from '../command.ts';
import { bad, bold, dim, good, type Line } from '../text.ts';

export const policyTest = command({
  name: 'policy test',
  about: 'ask the policies what the tables ask, and compare the answers',
  details:
    'Runs the tables that Pawl brings, and those in policies/tests of this home. A home whose own policies forbid more than Pawl does may run its own tables alone.',
  options: [['--own', "this home's tables only"]],
  examples: ['pawl policy test', 'pawl policy test --own --json'],
  input: z.object({ own: z.boolean().default(false) }),
  run: async ({ own }, context) => {
    const mine = await readTables(join(context.home, 'policies', 'tests'));
    const rows = own ? mine : [...(await readTables(join(SHIPPED_POLICIES, 'tests'))), ...mine];
    if (rows.length === 0) {
      throw new PawlError('NotFound', `There are no tables in ${context.home}/policies/tests.`, {
        hint: 'docs/guide/policy.md shows what one looks like.',
      });
    }
    await context.policy.bundle(); // What is wrong with the policies themselves is told as such.
    const results = await tryTables(context.policy, rows);
    const failed = results.filter(({ problem }) => problem !== null);
    const data = results.map(({ row, decision, problem }) => ({ file: row.file, it: row.it, problem, decision }));
    const summary: Line = [
      failed.length === 0 ? good('✓ ') : bad('✗ '),
      bold(`${results.length - failed.length} passed, ${failed.length} failed`),
    ];
    return {
      data: { passed: results.length - failed.length, failed: failed.length, results: data },
      lines: [...failed.flatMap(linesOf), summary],
      exitCode: failed.length === 0 ? 0 : failures.Unhealthy.exitCode,
    };
  },
});

const linesOf = ({ row, problem }: TableResult): Line[] => [
  [bad('✗ '), bold(row.it), dim(`  ${row.file}`)],
  [`  ${problem ?? ''}`],
];
