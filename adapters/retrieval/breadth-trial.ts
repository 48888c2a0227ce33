/** How broad a search of a graph must be: tried with made-up questions, whose true answers are known by looking at everything. */
import { seeded } from '../../domain/random.ts';
import type { VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import { Best, type Entry, type Near } from './nearest.ts';

const BREADTHS = [64, 128, 256, 512] as const;
const QUESTIONS = 48;
const DEPTH = 10;
/** More than what is promised, 0.95: the trial is a sample. */
const RECALL = 0.97;
/** A question is less like its best answers than they are like each other: so much of one is noise, against 1. */
const NOISE = 1.3;

export class BreadthTrial {
  readonly #memory: VectorMemory;
  readonly #random = seeded(QUESTIONS);
  readonly #found = BREADTHS.map(() => 0);
  #questions = 0;

  constructor(memory: VectorMemory) {
    this.#memory = memory;
  }

  get isDone(): boolean {
    return this.#questions >= QUESTIONS;
  }

  /** The least that finds enough; null where none does. */
  get breadth(): number | null {
    return BREADTHS.find((_, at) => (this.#found[at] as number) >= RECALL * QUESTIONS * DEPTH) ?? null;
  }

  step(nodes: readonly Entry[], near: (breadth: number) => readonly Near[]): void {
    this.#questions++;
    const model = nodes[Math.floor(this.#random() * nodes.length)];
    if (model === undefined) return;
    this.#memory.ask(this.#noisy(this.#memory.read(model.slot)));
    const best = new Best(DEPTH);
    for (const entry of nodes) if (entry.alive) best.offer(entry, this.#memory.toQuery(entry.slot));
    const truth = new Set(best.found.map(({ entry }) => entry));
    for (const [at, breadth] of BREADTHS.entries()) {
      const hits = near(breadth).slice(0, DEPTH);
      // Fewer than DEPTH are there only in a space that needs no graph.
      this.#found[at] = (this.#found[at] as number) + hits.filter(({ entry }) => truth.has(entry)).length;
    }
  }

  #noisy(vector: Float32Array): Float32Array {
    // Uniform noise of variance 1 / dimensions has about length 1.
    const width = NOISE * Math.sqrt(12 / vector.length);
    return vector.map((number) => number + width * (this.#random() - 0.5));
  }
}
