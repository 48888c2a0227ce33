import { existsSync } from 'node:fs';
import { z } from 'zod';
import { checkHome, type Report } from '../../check/check.ts';
import { linesOf, summaryOf } from '../../check/text.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { command, flag } from '../command.ts';
import { bad, good, type Line } from '../text.ts';

export const check = command({
  name: 'check',
  about: 'hold what happened here against the rules, with code that shares nothing with what did it',
  details:
    'Reads the ledger, the traffic, the registry, the log of requests, people.json and the artifacts, and changes nothing; a home that runs can be checked. Names each broken rule with its row, and the rules that found nothing to be held against. Exit code 13 when a rule is broken. `node check/main.ts HOME` does the same without the rest of Pawl.',
  options: [['--at-rest', 'every cycle must have ended; otherwise those that run are named and not judged']],
  examples: ['pawl check', 'pawl check --at-rest --json'],
  input: z.object({ atRest: flag }),
  run: async ({ atRest }, context) => {
    context.needStoreFile('check');
    context.needArtifactFiles('check');
    if (!existsSync(context.paths.control)) {
      throw new PawlError('NotFound', `There is no store at ${context.paths.control}.`, {
        hint: '`pawl init` makes it and registers the service.',
      });
    }
    const report = checkHome(context.home, { atRest });
    const holds = report.violations.length === 0;
    return {
      data: { holds, ...report },
      lines: [...linesOf(report), [holds ? good('✓ ') : bad('✗ '), summaryOf(report)]] satisfies Line[],
      next: nextOf(report),
      exitCode: holds ? 0 : failures.Unhealthy.exitCode,
    };
  },
});

const nextOf = ({ violations }: Report): Array<readonly [what: string, command: string]> => {
  const [first] = violations;
  if (!first) return [];
  const { service } = first;
  return service === '*'
    ? [['See what the ledger itself says', 'pawl audit verify']]
    : [['If it serves what it must not', `pawl kill ${service} --reason "…"`]];
};
