/**
 * `node check/main.ts HOME [--at-rest] [--json]`, with nothing but Node: whoever does not trust what wrote the home can
 * take this folder alone. Exit code 0 where no rule is broken, 1 where one is, 2 where the home cannot be read.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkHome } from './check.ts';
import { linesOf, summaryOf } from './text.ts';

const say = (lines: readonly string[]): boolean => process.stdout.write(lines.map((line) => `${line}\n`).join(''));

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'at-rest': { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  });
  const [home = '.'] = positionals;
  if (!existsSync(join(home, '.pawl', 'control.db'))) throw new Error(`${home} has no .pawl/control.db: name a home`);
  const report = checkHome(home, { atRest: values['at-rest'] });
  say(values.json ? [JSON.stringify(report)] : [...linesOf(report), summaryOf(report)]);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
