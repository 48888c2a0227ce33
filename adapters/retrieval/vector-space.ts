/**
 * The vectors of one tenant, and which of them are nearest to what is asked.
 *
 * 1. Few are looked at one by one; so are those that a filter lets pass when they are few: nothing is missed there. From
 *    `graphFrom` on there is a graph besides, made in the background; until it is made and tried, all are looked at.
 * 2. What is gone is found no more, at once; in the graph it stays as a way to others. When too much of a graph is such, the
 *    next one is made beside it, and takes its place when it is done.
 */
import type { MetadataFilter } from '../../contracts/retrieval.ts';
import { matches } from '../../domain/filter.ts';
import type { VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import { Best, type Entry, type Near, type SpaceDocument } from './nearest.ts';
import { type KeptGraph, SpaceGraph } from './space-graph.ts';

/** Looking at so many takes about two milliseconds: a graph is faster, but has to be made, kept, and trusted. */
export const GRAPH_FROM = 20_000;
/** Filters that were asked with lately, and which entries they let pass. */
const MOST_FILTERS = 16;
const MOST_DEAD = 0.3;
/** The graph is sure of the first ten; who asks for more looks further. */
const BREADTH_PER_HIT = 2;

export class VectorSpace {
  readonly #memory: VectorMemory;
  readonly #graphFrom: number;
  readonly #entries = new Map<number, Entry>();
  readonly #passing = new Map<string, { readonly filter: MetadataFilter; readonly entries: Set<Entry> }>();
  #graph: SpaceGraph | null = null;
  #next: SpaceGraph | null = null;

  constructor(memory: VectorMemory, graphFrom = GRAPH_FROM) {
    this.#memory = memory;
    this.#graphFrom = graphFrom;
  }

  get graph(): SpaceGraph | null {
    return this.#graph;
  }

  add(key: number, document: SpaceDocument, vector: Float32Array): void {
    const entry: Entry = { key, document, slot: this.#memory.add(vector), alive: true };
    this.#entries.set(key, entry);
    this.#graph?.add(entry);
    this.#next?.add(entry);
    for (const { filter, entries } of this.#passing.values()) {
      if (matches(document.metadata, filter)) entries.add(entry);
    }
  }

  remove(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.alive = false;
    this.#graph?.remove(entry);
    this.#next?.remove(entry);
    for (const { entries } of this.#passing.values()) entries.delete(entry);
    this.#release([entry]);
  }

  entry(key: number): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The nearest to what the memory was asked, best first; of equal ones the older first. */
  nearest(limit: number, filter: MetadataFilter): readonly Near[] {
    const passing = Object.keys(filter).length > 0 ? this.#pass(filter) : null;
    const best = new Best(limit);
    const look = (entry: Entry) => best.offer(entry, this.#memory.toQuery(entry.slot));
    const breadth = this.#graph?.breadth ?? null;
    if (this.#graph === null || breadth === null || (passing && passing.size < this.#graphFrom)) {
      for (const entry of passing ?? this.#entries.values()) look(entry);
      return best.found;
    }
    const accepts = (entry: Entry) => entry.alive && (passing === null || passing.has(entry));
    for (const { entry, score } of this.#graph.near(Math.max(breadth, BREADTH_PER_HIT * limit), accepts)) {
      best.offer(entry, score);
    }
    for (const entry of this.#graph.pending) if (accepts(entry)) look(entry);
    return best.found;
  }

  /** Takes a graph that was kept, of entries that are here. */
  restore(kept: KeptGraph): void {
    this.#graph = new SpaceGraph(this.#memory, this.#entries.values(), kept);
  }

  /** A step of what is done in the background; false when there is nothing to do. */
  improve(): boolean {
    if (this.#entries.size < this.#graphFrom / 2) this.#replace(null);
    else if (this.#graph === null && this.#entries.size >= this.#graphFrom) this.#replace(this.#made());
    if (this.#graph === null) return false;

    if (!this.#graph.isDone) this.#graph.step();
    else if (this.#next !== null) {
      if (this.#next.isDone) this.#replace(this.#next);
      else this.#next.step();
    } else if (this.#graph.deadShare > MOST_DEAD) this.#next = this.#made();
    else return false;
    return true;
  }

  #made(): SpaceGraph {
    return new SpaceGraph(this.#memory, this.#entries.values());
  }

  #replace(graph: SpaceGraph | null): void {
    const dead = [this.#graph, this.#next].flatMap((old) => (old === null || old === graph ? [] : old.dead()));
    this.#graph = graph;
    this.#next = null;
    this.#release(dead);
  }

  /** A vector stays where it is as long as it is a way to others. */
  #release(dead: readonly Entry[]): void {
    for (const entry of new Set(dead)) {
      if (!this.#graph?.has(entry) && !this.#next?.has(entry)) this.#memory.drop(entry.slot);
    }
  }

  #pass(filter: MetadataFilter): Set<Entry> {
    const name = JSON.stringify(filter);
    const known = this.#passing.get(name);
    const entries = known?.entries ?? new Set<Entry>();
    if (known === undefined) {
      for (const entry of this.#entries.values()) if (matches(entry.document.metadata, filter)) entries.add(entry);
    }
    this.#passing.delete(name);
    this.#passing.set(name, { filter, entries });
    const [oldest] = this.#passing.keys();
    if (this.#passing.size > MOST_FILTERS && oldest !== undefined) this.#passing.delete(oldest);
    return entries;
  }
}
