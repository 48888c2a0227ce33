/** A process that trains one step whenever it is told to: one JSON object a line, in and out. See peer.py for the words. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';

const Ready = z.object({
  parameters: z.number(),
  startBytes: z.number(),
  bytes: z.number(),
  versions: z.record(z.string(), z.string()),
});
const Stepped = z.object({
  seconds: z.number(),
  loss: z.number(),
  gradientNorm: z.number(),
  bytes: z.number(),
  peakBytes: z.number(),
});
const Missing = z.object({ package: z.string(), install: z.string() });
const Answer = z.object({ ready: Ready, stepped: Stepped, missing: Missing }).partial();
export type Ready = z.infer<typeof Ready>;
export type Stepped = z.infer<typeof Stepped>;

export class Side {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // What went wrong is seen where its answer is awaited.
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async setUp(setup: unknown): Promise<Ready> {
    const { ready, missing } = await this.#ask({ setup });
    if (missing) {
      throw new PawlError('SetupFailed', `${this.name} has no ${missing.package}.`, {
        hint: `Install it with \`${missing.install}\`, and name that Python in PAWL_PYTHON.`,
      });
    }
    return ready ?? this.#gone();
  }

  async step(step: unknown): Promise<Stepped> {
    return (await this.#ask({ step })).stepped ?? this.#gone();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(order: unknown): Promise<z.infer<typeof Answer>> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    return done ? this.#gone() : Answer.parse(JSON.parse(value));
  }

  #gone(): never {
    throw new PawlError('Unavailable', `${this.name} has ended before it gave an answer.`, {
      hint: 'What it said stands above. PAWL_PYTHON names the Python of the peer.',
    });
  }
}
