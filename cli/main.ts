/** The `pawl` command. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { failures, PawlError } from '../contracts/failures.ts';
import { type Environment, readEnvironment } from '../infra/setup/environment.ts';
import { Context } from './context.ts';
import { asPawlError } from './failure.ts';
import { createOutput, jsonLine, type Output } from './output.ts';
import { createProgram } from './program.ts';
import { bad, dim } from './text.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const run = async (args: readonly string[], environment: Environment, out: Output): Promise<number> => {
  let exitCode = 0;
  const program = createProgram(async (command, given) => {
    const { home } = program.opts<{ home?: string }>();
    const homeSources = { flag: home, variable: environment.variables.PAWL_HOME, folder: process.cwd() };
    const context = new Context({ environment, out, homeSources });
    try {
      const reply = await command.run(given, context);
      if (reply) out.reply(reply);
      exitCode = reply?.exitCode ?? 0;
    } finally {
      await context.close();
    }
  }, version);
  await program.parseAsync(args, { from: 'user' });
  return exitCode;
};

/** Commander throws to show help too; everything else of it is a mistake in the command line. */
const usageOf = ({ code, message }: CommanderError): PawlError | null => {
  if (code === 'commander.helpDisplayed' || code === 'commander.version') return null;
  const said = code === 'commander.help' ? 'A command is missing.' : message.replace(/^error: /, '');
  return new PawlError('Usage', said, {
    hint: '`pawl --help` lists the commands, `pawl COMMAND --help` explains one.',
  });
};

const tellFailure = ({ type, message, hint }: PawlError, out: Output): void => {
  if (out.json) process.stderr.write(`${jsonLine({ error: { type, message, hint: hint ?? null } })}\n`);
  for (const line of message.split('\n')) out.note([bad('✗ '), line]);
  if (hint !== undefined) out.note(['  ', dim(hint)]);
};

const main = async (args: readonly string[]): Promise<number> => {
  const json = args.includes('--json');
  const { stdout, stderr, stdin } = process;
  // Whoever reads may stop reading, as `head` does.
  stdout.on('error', () => process.exit(0));
  let out = createOutput({ json, colour: false, stdout, stderr, stdin });
  try {
    const environment = readEnvironment();
    out = createOutput({ json, colour: environment.colour, stdout, stderr, stdin });
    return await run(args, environment, out);
  } catch (error) {
    const failure = error instanceof CommanderError ? usageOf(error) : asPawlError(error);
    if (failure === null) return 0;
    tellFailure(failure, out);
    return failures[failure.type].exitCode;
  }
};

process.exitCode = await main(process.argv.slice(2));
