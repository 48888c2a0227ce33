/**
 * A graph in which the nearest vectors are found by going from neighbour to neighbour (Malkov and Yashunin 2018).
 *
 * 1. Nodes are numbered in the order in which they came, and none ever leaves: who does not want one any more accepts it in
 *    no answer, and makes a new graph when there are too many such.
 * 2. The same vectors in the same order give the same graph: levels are drawn from the seed and the number of the node.
 * 3. A node has at most `links` neighbours on each level, twice as many on the lowest; every link leads to a node that is
 *    on that level.
 */
import { hash32, seeded } from '../../domain/random.ts';
import { NodeHeap } from './hnsw-heap.ts';

export interface HnswSettings {
  /** Neighbours that a node has on a level. */
  readonly links: number;
  /** So many candidates are looked at for the neighbours of a new node. */
  readonly breadth: number;
  readonly seed: number;
}

/** The more alike, the larger. */
export type Similarity = (one: number, other: number) => number;

export interface Scored {
  readonly node: number;
  readonly score: number;
}

/** What a graph is kept as. */
export interface HnswTables {
  readonly levels: Uint8Array;
  /** Per node: how many neighbours, and which; as wide as the most there can be. */
  readonly lowest: Int32Array;
  /** The same for the levels above, from the first on, of those nodes that reach them. */
  readonly above: Int32Array;
}

const MOST_LEVELS = 16;
const NOBODY = new Int32Array();
const everyone = (): boolean => true;

export class Hnsw {
  readonly #settings: HnswSettings;
  readonly #between: Similarity;
  /** Numbers that a node takes in `lowest`, and on each level above. */
  readonly #wide: number;
  readonly #narrow: number;
  #levels = new Uint8Array();
  #lowest = new Int32Array();
  readonly #above: Int32Array[] = [];
  #size = 0;
  /** A node of the highest level. */
  #entry = -1;
  /** Whoever was met in this search has its number here. */
  #met = new Uint32Array();
  #search = 0;
  readonly #open = new NodeHeap('best');
  readonly #best = new NodeHeap('worst');

  constructor(between: Similarity, settings: HnswSettings, tables?: HnswTables) {
    this.#between = between;
    this.#settings = settings;
    this.#wide = 1 + 2 * settings.links;
    this.#narrow = 1 + settings.links;
    if (tables) this.#restore(tables);
  }

  get size(): number {
    return this.#size;
  }

  /** Makes the next node, which `between` must know by now. */
  insert(): number {
    const node = this.#size;
    this.#reserve(node + 1);
    const top = this.#drawLevel(node);
    this.#levels[node] = top;
    this.#above[node] = top === 0 ? NOBODY : new Int32Array(top * this.#narrow);
    this.#size++;
    if (this.#entry < 0) {
      this.#entry = node;
      return node;
    }
    const toNew = (other: number) => this.#between(node, other);
    const highest = this.#levels[this.#entry] as number;
    let from = this.#descend(toNew, top);
    for (let level = Math.min(top, highest); level >= 0; level--) {
      this.#explore(toNew, from, this.#settings.breadth, level, everyone);
      const near = this.#taken();
      const chosen = this.#spread(near, this.#settings.links);
      this.#write(node, level, chosen);
      for (const { node: other, score } of chosen) this.#linkBack(other, { node, score }, level);
      from = near[0]?.node ?? from;
    }
    if (top > highest) this.#entry = node;
    return node;
  }

  /** The nearest of those nodes that are accepted, best first: `breadth` of them, the more the surer. */
  search(toQuery: (node: number) => number, breadth: number, accepts: (node: number) => boolean): readonly Scored[] {
    if (this.#entry < 0) return [];
    this.#explore(toQuery, this.#descend(toQuery, 0), breadth, 0, accepts);
    return this.#taken();
  }

  tables(): HnswTables {
    const above = new Int32Array(this.#above.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const links of this.#above) {
      above.set(links, at);
      at += links.length;
    }
    return {
      levels: this.#levels.slice(0, this.#size),
      lowest: this.#lowest.slice(0, this.#size * this.#wide),
      above,
    };
  }

  #restore({ levels, lowest, above }: HnswTables): void {
    const numbers = levels.reduce((sum, level) => sum + level * this.#narrow, 0);
    if (lowest.length !== levels.length * this.#wide || above.length !== numbers) {
      throw new RangeError('tables that do not belong to one graph of these settings');
    }
    this.#reserve(levels.length);
    this.#levels.set(levels);
    this.#lowest.set(lowest);
    this.#size = levels.length;
    let at = 0;
    for (const [node, level] of levels.entries()) {
      this.#above[node] = level === 0 ? NOBODY : above.slice(at, at + level * this.#narrow);
      at += level * this.#narrow;
      if (this.#entry < 0 || level > (levels[this.#entry] as number)) this.#entry = node;
    }
  }

  /** Of the nodes on one level, one in as many as a node has neighbours is on the next. */
  #drawLevel(node: number): number {
    const drawn = seeded(hash32(`${this.#settings.seed}:${node}`))();
    return Math.min(MOST_LEVELS, Math.floor(-Math.log(1 - drawn) / Math.log(this.#settings.links)));
  }

  #table(node: number, level: number): Int32Array {
    return level === 0 ? this.#lowest : (this.#above[node] as Int32Array);
  }

  /** Where in its table the neighbours of a node begin: with their number. */
  #start(node: number, level: number): number {
    return level === 0 ? node * this.#wide : (level - 1) * this.#narrow;
  }

  /** From the highest level to just above `to`, always on to a neighbour that is nearer. */
  #descend(similarity: (node: number) => number, to: number): number {
    let node = this.#entry;
    let score = similarity(node);
    for (let level = this.#levels[node] as number; level > to; level--) {
      for (let here = -1; here !== node; ) {
        here = node;
        const links = this.#table(here, level);
        const start = this.#start(here, level);
        for (let at = start + 1; at <= start + (links[start] as number); at++) {
          const other = links[at] as number;
          const found = similarity(other);
          if (found <= score) continue;
          node = other;
          score = found;
        }
      }
    }
    return node;
  }

  /** Leaves in #best whom it met and accepts; goes on as long as there is somebody nearer than the worst of them. */
  #explore(
    similarity: (node: number) => number,
    from: number,
    breadth: number,
    level: number,
    accepts: (node: number) => boolean,
  ): void {
    const [met, open, best] = [this.#met, this.#open, this.#best];
    const search = this.#nextSearch();
    open.clear();
    best.clear();
    const first = similarity(from);
    met[from] = search;
    open.push(from, first);
    if (accepts(from)) best.push(from, first);
    while (open.size > 0) {
      if (best.size >= breadth && open.topScore < best.topScore) return;
      const node = open.pop();
      const links = this.#table(node, level);
      const start = this.#start(node, level);
      const end = start + (links[start] as number);
      for (let at = start + 1; at <= end; at++) {
        const other = links[at] as number;
        if (met[other] === search) continue;
        met[other] = search;
        const score = similarity(other);
        if (best.size >= breadth && score <= best.topScore) continue;
        open.push(other, score);
        if (!accepts(other)) continue;
        best.push(other, score);
        if (best.size > breadth) best.pop();
      }
    }
  }

  #taken(): Scored[] {
    const best = this.#best;
    const taken = new Array<Scored>(best.size);
    for (let place = best.size - 1; place >= 0; place--) {
      const score = best.topScore;
      taken[place] = { node: best.pop(), score };
    }
    return taken;
  }

  /** The nearest of those that are nearer to the node than to one that was chosen: neighbours in every direction. */
  #spread(nearestFirst: readonly Scored[], most: number): Scored[] {
    const chosen: Scored[] = [];
    for (const candidate of nearestFirst) {
      if (chosen.length === most) break;
      if (chosen.every(({ node }) => this.#between(candidate.node, node) <= candidate.score)) chosen.push(candidate);
    }
    return chosen;
  }

  #linkBack(node: number, added: Scored, level: number): void {
    const links = this.#table(node, level);
    const start = this.#start(node, level);
    const count = links[start] as number;
    const most = (level === 0 ? this.#wide : this.#narrow) - 1;
    if (count < most) {
      links[start + 1 + count] = added.node;
      links[start] = count + 1;
      return;
    }
    const near: Scored[] = [added];
    for (let at = start + 1; at <= start + count; at++) {
      const other = links[at] as number;
      near.push({ node: other, score: this.#between(node, other) });
    }
    near.sort((a, b) => b.score - a.score || a.node - b.node);
    this.#write(node, level, this.#spread(near, most));
  }

  #write(node: number, level: number, neighbours: readonly Scored[]): void {
    const links = this.#table(node, level);
    const start = this.#start(node, level);
    links[start] = neighbours.length;
    for (const [at, { node: other }] of neighbours.entries()) links[start + 1 + at] = other;
  }

  #nextSearch(): number {
    if (++this.#search === 2 ** 32) {
      this.#met.fill(0);
      this.#search = 1;
    }
    return this.#search;
  }

  #reserve(nodes: number): void {
    if (nodes <= this.#levels.length) return;
    const room = Math.max(nodes, 64, Math.ceil(this.#levels.length * 1.5));
    this.#levels = copyInto(new Uint8Array(room), this.#levels);
    this.#lowest = copyInto(new Int32Array(room * this.#wide), this.#lowest);
    this.#met = copyInto(new Uint32Array(room), this.#met);
  }
}

const copyInto = <T extends Uint8Array | Int32Array | Uint32Array>(larger: T, old: T): T => {
  larger.set(old);
  return larger;
};
