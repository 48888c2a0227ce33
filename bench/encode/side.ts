/** A process that encodes what it is told. See peer.py for the words. */
import { z } from 'zod';
import { Side } from '../side.ts';

const answers = {
  ready: z.object({ bytes: z.number(), versions: z.record(z.string(), z.string()) }),
  timed: z.object({ seconds: z.union([z.number(), z.array(z.number())]) }),
  vectors: z.array(z.array(z.number())),
  adapters: z.object({ bytes: z.number(), layers: z.number() }),
};

export class EncodingSide {
  readonly #side: Side<typeof answers>;

  constructor(name: string, command: string, args: readonly string[]) {
    this.#side = new Side(name, command, args, answers);
  }

  get name(): string {
    return this.#side.name;
  }

  setUp(setup: unknown): Promise<z.infer<typeof answers.ready>> {
    return this.#side.ask('ready', { setup });
  }

  /** Seconds of each, asked one after another. */
  async queries(texts: readonly string[]): Promise<number[]> {
    const { seconds } = await this.#side.ask('timed', { queries: { texts } });
    return [seconds].flat();
  }

  /** Seconds of all together. */
  async batch(texts: readonly string[], size: number): Promise<number> {
    return Number((await this.#side.ask('timed', { batch: { texts, size } })).seconds);
  }

  vectors(texts: readonly string[]): Promise<number[][]> {
    return this.#side.ask('vectors', { vectors: { texts } });
  }

  /** What memory grew by for so many adapters more, and the layers of each. */
  adapters(count: number): Promise<{ readonly bytes: number; readonly layers: number }> {
    return this.#side.ask('adapters', { adapters: { count } });
  }

  close(): void {
    this.#side.close();
  }
}
