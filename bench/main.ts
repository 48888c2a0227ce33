/** `npm run -s bench -- NAME [--json]`, and `bench ls`. `canaries` takes `--canaries N` too. */
import { parseArgs } from 'node:util';
import { failures, PawlError } from '../contracts/failures.ts';
import { type Benchmark, type Options, tableOf } from './benchmark.ts';
import { canaries } from './canaries.ts';
import { encode } from './encode.ts';
import { ledger } from './ledger.ts';
import { lora } from './lora.ts';
import { loraGain } from './lora-gain.ts';
import { orchestration } from './orchestration.ts';
import { parity } from './parity.ts';
import { retrieval } from './retrieval.ts';
import { sequential } from './sequential.ts';
import { swap } from './swap.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  orchestration,
  ledger,
  encode,
  lora,
  parity,
  'lora-gain': loraGain,
  retrieval,
  sequential,
  swap,
  canaries,
};

const list = (): string =>
  Object.entries(BENCHMARKS)
    .map(([name, { about }]) => `${name.padEnd(16)}${about}`)
    .join('\n');

const run = async (name: string, json: boolean, options: Options): Promise<void> => {
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

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, canaries: { type: 'string' } },
  });
  const most = values.canaries === undefined ? null : Number(values.canaries);
  if (most !== null && !(Number.isInteger(most) && most > 0)) {
    throw new PawlError('Usage', `--canaries takes a whole number above 0, not ${JSON.stringify(values.canaries)}.`);
  }
  const [name = 'ls'] = positionals;
  if (name === 'ls') process.stdout.write(`${list()}\n`);
  else await run(name, values.json ?? false, { canaries: most });
} catch (error) {
  const type = error instanceof PawlError ? error.type : 'Internal';
  process.stderr.write(`${error instanceof PawlError ? `${error.message}\n${error.hint ?? ''}` : String(error)}\n`);
  process.exitCode = failures[type].exitCode;
}
