/**
 * The leg by meaning: every vector of an index in memory, a space for each tenant.
 *
 * Before each answer it takes up what was committed since, whoever committed it; so the answer is of one state of the index,
 * and no older than the last `apply` that was done when the question came.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import type { Metadata, MetadataFilter } from '../../contracts/retrieval.ts';
import { MemoryFull, VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import { graphPath, keepGraph, keptGraph } from './graph-file.ts';
import { type InOneState, stateReader } from './index-file.ts';
import type { LegAnswer } from './leg.ts';
import type { SpaceDocument } from './nearest.ts';
import type { SpaceGraph } from './space-graph.ts';
import { VectorSpace } from './vector-space.ts';

export interface DenseQuestion {
  readonly tenant: string;
  readonly filter: MetadataFilter;
  readonly limit: number;
  readonly vector: Float32Array;
}

export interface DenseOptions {
  /** Where graphs are kept. */
  readonly folder: string;
  readonly dimensions: number;
  readonly graphFrom?: number;
}

/** A graph is kept when it is done, and on the way there, when this many times as many nodes and some more are made. */
const WHEN_DONE = { times: 1.05, more: 0 } as const;
const ON_THE_WAY = { times: 1.5, more: 10_000 } as const;
const AT_THE_END = { times: 1, more: 0 } as const;

export class DenseLeg {
  readonly #inOneState: InOneState;
  readonly #read: Record<'version' | 'kept' | 'gone' | 'added' | 'tenants', StatementSync>;
  readonly #options: DenseOptions;
  #memory: VectorMemory;
  /** By number of the tenant. */
  readonly #spaces = new Map<number, VectorSpace>();
  /** By tenant: the graph that is kept, and how many nodes it had then. */
  readonly #kept = new Map<number, { readonly graph: SpaceGraph | null; readonly nodes: number }>();
  #tenants: ReadonlyMap<string, number> = new Map();
  #version = -1;
  #lastKey = 0;
  #lastGone = 0;

  constructor(db: DatabaseSync, options: DenseOptions) {
    this.#inOneState = stateReader(db);
    this.#options = options;
    this.#memory = new VectorMemory(options.dimensions);
    this.#read = {
      version: db.prepare('SELECT version FROM state'),
      kept: db.prepare('SELECT min(seq) AS first, max(seq) AS last FROM gone'),
      gone: db.prepare('SELECT tenant, key FROM gone WHERE seq > ?'),
      added: db.prepare(
        `SELECT c.key, c.document, d.tenant, d.id, d.metadata, v.vector
         FROM chunks c JOIN documents d ON d.number = c.document JOIN vectors v ON v.key = c.key WHERE c.key > ? ORDER BY c.key`,
      ),
      tenants: db.prepare('SELECT number, name FROM tenants'),
    };
  }

  search({ tenant, filter, limit, vector }: DenseQuestion): LegAnswer {
    this.takeUp();
    const space = this.#spaces.get(this.#tenants.get(tenant) ?? 0);
    this.#memory.ask(vector);
    const near = space?.nearest(limit, filter) ?? [];
    const hits = near.map(({ entry, score }) => ({ key: String(entry.key), document: entry.document.id, score }));
    return { version: this.#version, hits };
  }

  takeUp(): void {
    if (Number(this.#read.version.get()?.version) === this.#version) return;
    try {
      this.#takeUpAll();
    } catch (error) {
      if (!(error instanceof MemoryFull)) throw error;
      throw new PawlError('Refused', `The index holds ${error.message}`, {
        hint: 'Larger services keep their index in Qdrant: set QDRANT_URL.',
        cause: error,
      });
    }
  }

  #takeUpAll(): void {
    this.#inOneState((version) => {
      this.#tenants = new Map(this.#read.tenants.all().map(({ name, number }) => [String(name), Number(number)]));
      this.#removeGone();
      const isFirst = this.#lastKey === 0;
      this.#add();
      if (isFirst) this.#restore();
      this.#version = version;
    });
  }

  /** A step of what is done in the background; false when there is nothing to do. */
  improve(): boolean {
    let improved = false;
    for (const [tenant, space] of this.#spaces) {
      const isDone = !space.improve();
      improved ||= !isDone;
      this.#keep(tenant, space, isDone ? WHEN_DONE : ON_THE_WAY);
    }
    return improved;
  }

  /** Keeps what was made, for the next time. */
  close(): void {
    for (const [tenant, space] of this.#spaces) this.#keep(tenant, space, AT_THE_END);
  }

  #keep(tenant: number, { graph }: VectorSpace, when: { readonly times: number; readonly more: number }): void {
    const last = this.#kept.get(tenant);
    const nodes = last?.graph === graph ? last.nodes : 0;
    if (graph === null || graph.size <= nodes * when.times + when.more) return;
    this.#kept.set(tenant, { graph, nodes: graph.size });
    try {
      keepGraph(graphPath(this.#options.folder, tenant), graph.kept(), this.#memory);
    } catch {
      // A full disk is no reason not to answer: what is not kept is made anew.
    }
  }

  #restore(): void {
    for (const [tenant, space] of this.#spaces) {
      const kept = keptGraph(graphPath(this.#options.folder, tenant), (key) => space.entry(key), this.#memory);
      if (kept === null) continue;
      space.restore(kept);
      this.#kept.set(tenant, { graph: space.graph, nodes: kept.nodes.length });
    }
  }

  #removeGone(): void {
    const { first, last } = this.#read.kept.get() ?? {};
    if (typeof first !== 'number' || typeof last !== 'number') return;
    if (first > this.#lastGone + 1) {
      // Who was asleep for so long does not know any more what is gone.
      this.#spaces.clear();
      this.#memory = new VectorMemory(this.#options.dimensions);
      this.#lastKey = 0;
    } else {
      for (const { tenant, key } of this.#read.gone.all(this.#lastGone)) {
        this.#spaces.get(Number(tenant))?.remove(Number(key));
      }
    }
    this.#lastGone = last;
  }

  #add(): void {
    let number = 0;
    let document: SpaceDocument = { id: '', metadata: {} };
    for (const row of this.#read.added.iterate(this.#lastKey)) {
      const { key, tenant, id, vector, ...of } = row as unknown as AddedRow;
      // The chunks of a document come one after another, and share it.
      if (of.document !== number) {
        number = of.document;
        document = { id, metadata: JSON.parse(of.metadata) as Metadata };
      }
      const space = this.#spaces.get(tenant) ?? new VectorSpace(this.#memory, this.#options.graphFrom);
      this.#spaces.set(tenant, space);
      space.add(key, document, new Float32Array(vector.buffer, vector.byteOffset, vector.byteLength / 4));
      this.#lastKey = key;
    }
  }
}

interface AddedRow {
  readonly key: number;
  readonly document: number;
  readonly tenant: number;
  readonly id: string;
  readonly metadata: string;
  readonly vector: Uint8Array;
}
