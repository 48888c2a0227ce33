/** A command as a value: main assembles commander from them, and docs/guide/cli.md is checked against them. */
import { z } from 'zod';
import { PawlError } from '../contracts/failures.ts';
import { SERVICE_NAME } from '../contracts/ids.ts';
import type { Context } from './context.ts';
import type { Reply } from './output.ts';

export type Described = readonly [name: string, about: string];

interface CommandText {
  /** Its words, such as `cycle start`. */
  readonly name: string;
  readonly about: string;
  /** What a person must know beyond the one line. */
  readonly details?: string;
  /** `[service]`, `<variant>`, in commander's form. */
  readonly arguments?: readonly Described[];
  /** `--reason <text>`, in commander's form. */
  readonly options?: readonly Described[];
  readonly examples: readonly [string, ...string[]];
}

export interface PawlCommand extends CommandText {
  run(given: Readonly<Record<string, unknown>>, context: Context): Promise<Reply | undefined>;
}

interface CommandSpec<I extends z.ZodType> extends CommandText {
  /** Arguments and options by their name in camel case. */
  readonly input: I;
  run(input: z.infer<I>, context: Context): Promise<Reply | undefined>;
}

export const command = <I extends z.ZodType>(spec: CommandSpec<I>): PawlCommand => ({
  ...spec,
  run: async (given, context) => {
    const parsed = spec.input.safeParse(given);
    if (parsed.success) return spec.run(parsed.data, context);
    const [issue] = parsed.error.issues;
    const name = String(issue?.path[0] ?? '');
    throw new PawlError('Usage', `${spec.name}: ${nameOfInput(spec, name)}: ${issue?.message}`, {
      hint: `\`pawl ${spec.name} --help\` shows an example.`,
    });
  },
});

/** As the person typed it: `--break-glass` for breakGlass. */
const nameOfInput = ({ arguments: positional = [] }: CommandText, name: string): string =>
  positional.some(([form]) => form.slice(1, -1) === name)
    ? name
    : `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export const SERVICE: Described = ['[service]', 'name of the service; not needed where the home has one only'];
export const CYCLE: Described = ['[cycle]', 'id such as si_2026_11_21_001, or `latest`'];
export const OF_SERVICE: Described = ['--service <name>', 'the service, where the home has several'];
export const REASON: Described = ['--reason <text>', 'why; it stands in the ledger'];
export const PRINT: Described = ['--print', 'print the signed token for the Web UI instead of sending it'];
export const EXPIRES: Described = ['--expires <duration>', 'how long the token can be used (15m)'];

export const serviceName = z.string().regex(SERVICE_NAME, 'expected lower-case letters, digits and dashes').optional();
export const reason = z.string('is needed: say why').trim().min(1, 'must say something').max(1_000);
export const flag = z.boolean().default(false);
