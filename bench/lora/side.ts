/** A process that trains one step whenever it is told to. See peer.py for the words. */
import { z } from 'zod';
import { Side } from '../side.ts';

const answers = {
  ready: z.object({
    parameters: z.number(),
    startBytes: z.number(),
    bytes: z.number(),
    versions: z.record(z.string(), z.string()),
  }),
  stepped: z.object({
    seconds: z.number(),
    loss: z.number(),
    gradientNorm: z.number(),
    bytes: z.number(),
    peakBytes: z.number(),
  }),
};
export type Ready = z.infer<typeof answers.ready>;
export type Stepped = z.infer<typeof answers.stepped>;

export class TrainingSide {
  readonly #side: Side<typeof answers>;

  constructor(name: string, command: string, args: readonly string[]) {
    this.#side = new Side(name, command, args, answers);
  }

  get name(): string {
    return this.#side.name;
  }

  setUp(setup: unknown): Promise<Ready> {
    return this.#side.ask('ready', { setup });
  }

  step(step: unknown): Promise<Stepped> {
    return this.#side.ask('stepped', { step });
  }

  close(): void {
    this.#side.close();
  }
}
