/**
 * The graph over the vectors of one space, as far as it was made.
 *
 * 1. Every entry of the space is a node or pending; pending ones are looked at one by one, so none is ever missed.
 * 2. It answers only after it was compared with looking at everything: with the least breadth that finds `RECALL` of what
 *    is there. Where no breadth does, it does not answer at all.
 */
import { Hnsw, type HnswSettings, type HnswTables, type Scored } from '../../ml/retrieval/hnsw.ts';
import type { VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import { BreadthTrial } from './breadth-trial.ts';
import type { Entry, Near } from './nearest.ts';

export const GRAPH_SETTINGS: HnswSettings = { links: 16, breadth: 100, seed: 1 };

/** It is compared again when it has grown by this share. */
const GROWN = 1.5;

export interface KeptGraph {
  readonly nodes: Entry[];
  readonly tables: HnswTables;
  readonly tried: Tried;
}
export interface Tried {
  /** null: looking at everything is better. */
  readonly breadth: number | null;
  /** How many nodes there were; 0 where it was never tried. */
  readonly nodes: number;
}

export class SpaceGraph {
  readonly #memory: VectorMemory;
  readonly #graph: Hnsw;
  readonly #nodes: Entry[];
  readonly #members: Set<Entry>;
  readonly pending: Set<Entry>;
  #dead = 0;
  #tried: Tried;
  #trial: BreadthTrial | null = null;

  constructor(memory: VectorMemory, entries: Iterable<Entry>, kept?: KeptGraph) {
    this.#memory = memory;
    this.#nodes = kept?.nodes ?? [];
    this.#tried = kept?.tried ?? { breadth: null, nodes: 0 };
    this.#members = new Set(this.#nodes);
    this.pending = new Set([...entries].filter((entry) => !this.#members.has(entry)));
    this.#dead = this.#nodes.filter(({ alive }) => !alive).length;
    const between = (one: number, other: number) => memory.between(this.#slot(one), this.#slot(other));
    this.#graph = new Hnsw(between, GRAPH_SETTINGS, kept?.tables);
  }

  get breadth(): number | null {
    return this.#tried.breadth;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Share of the nodes that are gone from the space. */
  get deadShare(): number {
    return this.#dead / Math.max(1, this.#nodes.length);
  }

  get isDone(): boolean {
    return this.pending.size === 0 && this.#tried.nodes * GROWN > this.#nodes.length;
  }

  has(entry: Entry): boolean {
    return this.#members.has(entry);
  }

  add(entry: Entry): void {
    this.pending.add(entry);
  }

  remove(entry: Entry): void {
    if (!this.pending.delete(entry) && this.#members.has(entry)) this.#dead++;
  }

  /** Entries that are gone from the space, and in this graph still. */
  dead(): Entry[] {
    return this.#nodes.filter(({ alive }) => !alive);
  }

  /** What is nearest to what the memory was asked. */
  near(breadth: number, accepts: (entry: Entry) => boolean): Near[] {
    const found = this.#graph.search(
      (node) => this.#memory.toQuery(this.#slot(node)),
      breadth,
      (node) => accepts(this.#nodes[node] as Entry),
    );
    return found.map(({ node, score }: Scored) => ({ entry: this.#nodes[node] as Entry, score }));
  }

  /** One step towards `isDone`: about a millisecond, or once through all vectors. */
  step(): void {
    const [next] = this.pending;
    if (next !== undefined) {
      this.pending.delete(next);
      this.#members.add(next);
      this.#nodes.push(next);
      this.#graph.insert();
      return;
    }
    if (this.isDone) return;
    this.#trial ??= new BreadthTrial(this.#memory);
    this.#trial.step(this.#nodes, (breadth) => this.near(breadth, isAlive));
    if (!this.#trial.isDone) return;
    this.#tried = { breadth: this.#trial.breadth, nodes: this.#nodes.length };
    this.#trial = null;
  }

  kept(): KeptGraph {
    return { nodes: this.#nodes, tables: this.#graph.tables(), tried: this.#tried };
  }

  #slot(node: number): number {
    return (this.#nodes[node] as Entry).slot;
  }
}

const isAlive = ({ alive }: Entry): boolean => alive;
