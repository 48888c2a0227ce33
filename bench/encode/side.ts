/** A process that encodes what it is told: one JSON object a line, in and out. See peer.py for the words. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';

const Ready = z.object({ bytes: z.number(), versions: z.record(z.string(), z.string()) });
const Answer = z
  .object({
    ready: Ready,
    timed: z.object({ seconds: z.union([z.number(), z.array(z.number())]) }),
    vectors: z.array(z.array(z.number())),
    adapters: z.object({ bytes: z.number(), layers: z.number() }),
    missing: z.object({ package: z.string(), install: z.string() }),
  })
  .partial();
type Answer = z.infer<typeof Answer>;

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

  async setUp(setup: unknown): Promise<z.infer<typeof Ready>> {
    const { ready, missing } = await this.#ask({ setup });
    if (missing) {
      throw new PawlError('SetupFailed', `${this.name} has no ${missing.package}.`, {
        hint: `Install it with \`${missing.install}\`, and name that Python in PAWL_PYTHON.`,
      });
    }
    return ready ?? this.#gone();
  }

  /** Seconds of each, asked one after another. */
  async queries(texts: readonly string[]): Promise<number[]> {
    const { seconds } = (await this.#ask({ queries: { texts } })).timed ?? this.#gone();
    return [seconds].flat();
  }

  /** Seconds of all together. */
  async batch(texts: readonly string[], size: number): Promise<number> {
    const { seconds } = (await this.#ask({ batch: { texts, size } })).timed ?? this.#gone();
    return Number(seconds);
  }

  async vectors(texts: readonly string[]): Promise<number[][]> {
    return (await this.#ask({ vectors: { texts } })).vectors ?? this.#gone();
  }

  /** What memory grew by for so many adapters more, and the layers of each. */
  async adapters(count: number): Promise<{ readonly bytes: number; readonly layers: number }> {
    return (await this.#ask({ adapters: { count } })).adapters ?? this.#gone();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(order: unknown): Promise<Answer> {
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
