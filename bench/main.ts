/** `npm run -s bench -- NAME [--json]`, and `bench ls`. */
import { parseArgs } from 'node:util';
import { failures, PawlError } from '../contracts/failures.ts';
import { type Benchmark, type BenchmarkOptions, tableOf } from './benchmark.ts';
import { orchestration } from './orchestration.ts';
import { workerKills } from './worker-kills.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = { orchestration, 'worker-kills': workerKills };

const list = (): string =>
  Object.entries(BENCHMARKS)
    .map(([name, { about }]) => `${name.padEnd(16)}${about}`)
    .join('\n');

const run = async (name: string, json: boolean, options: BenchmarkOptions): Promise<void> => {
  const benchmark = BENCHMARKS[name];
  if (!benchmark) {
    throw new PawlError('Usage', `There is no benchmark ${JSON.stringify(name)}.`, { hint: `There are:\n${list()}` });
  }
  const { figures, versions } = await benchmark.run((line) => process.stderr.write(`${line}\n`), options);
  process.stdout.write(
    json
      ? `${JSON.stringify({ bench: name, figures, versions })}\n`
      : `${tableOf(figures)}\n\n${Object.entries(versions)
          .map(([what, version]) => `${what} ${version}`)
          .join(', ')}\n`,
  );
};

const optionsOf = ({ kills }: { kills?: string }): BenchmarkOptions => {
  if (kills === undefined) return {};
  if (/^[1-9]\d{0,3}$/.test(kills)) return { kills: Number(kills) };
  throw new PawlError('Usage', `--kills: expected a number from 1 to 9999, found ${JSON.stringify(kills)}`);
};

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, kills: { type: 'string' } },
  });
  const [name = 'ls'] = positionals;
  if (name === 'ls') process.stdout.write(`${list()}\n`);
  else await run(name, values.json ?? false, optionsOf(values));
} catch (error) {
  const type = error instanceof PawlError ? error.type : 'Internal';
  process.stderr.write(`${error instanceof PawlError ? `${error.message}\n${error.hint ?? ''}` : String(error)}\n`);
  process.exitCode = failures[type].exitCode;
}
