/** A process that does what it is told: one JSON object a line, in and out. What is said to it, each benchmark knows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PawlError } from '../contracts/failures.ts';

const missing = z.object({ package: z.string(), install: z.string() });
type Answers = Readonly<Record<string, z.ZodType>>;

export class Side<Of extends Answers> {
  readonly name: string;
  readonly #answers: Of;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** `answers`: what it may say, by name. */
  constructor(name: string, command: string, args: readonly string[], answers: Of) {
    this.name = name;
    this.#answers = answers;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // What went wrong is seen where its answer is awaited.
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async ask<Name extends keyof Of & string>(name: Name, order: unknown): Promise<z.infer<Of[Name]>> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    const said: Readonly<Record<string, unknown>> = done ? {} : JSON.parse(value);
    if ('missing' in said) {
      const lacks = missing.parse(said.missing);
      throw new PawlError('SetupFailed', `${this.name} has no ${lacks.package}.`, {
        hint: `Install it with \`${lacks.install}\`, and name that Python in PAWL_PYTHON.`,
      });
    }
    if (name in said) return (this.#answers[name] as Of[Name]).parse(said[name]) as z.infer<Of[Name]>;
    throw new PawlError('Unavailable', `${this.name} has ended before it gave an answer.`, {
      hint: 'What it said stands above. PAWL_PYTHON names the Python of the peer.',
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
