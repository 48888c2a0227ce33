/**
 * Vectors of one length in one flat array that grows, each under a number of its own.
 *
 * The number of a vector that was dropped is given to a later one, so whoever remembers numbers drops them with it.
 */
import { type InnerProduct, innerProductMemory, MOST_PAGES, PAGE, STEP } from './inner-product.ts';

/** The memory grows by this share at least, so that adding one vector after another copies each a few times at most. */
const GROWTH = 0.25;
/** What is asked for lies at the very beginning. */
const QUERY = 0;
/** Stands for vectors that are not known any more: zeros, which are like nothing. */
export const NOTHING = 1;

/** There is no room for another vector. */
export class MemoryFull extends RangeError {}

export class VectorMemory {
  readonly dimensions: number;
  readonly #memory: ReturnType<typeof innerProductMemory>['memory'];
  readonly #dot: InnerProduct;
  /** Bytes of a vector, filled up with zeros. */
  readonly #stride: number;
  readonly #free: number[] = [];
  #numbers: Float32Array;
  #slots = 2;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#stride = Math.ceil((dimensions * 4) / STEP) * STEP;
    const { memory, dot } = innerProductMemory();
    this.#memory = memory;
    this.#dot = dot;
    this.#numbers = new Float32Array(memory.buffer);
    this.#reserve(2);
  }

  add(vector: Float32Array): number {
    const slot = this.#free.pop() ?? this.#slots;
    if (slot === this.#slots) {
      this.#reserve(slot + 1);
      this.#slots++;
    }
    this.#write(slot, vector);
    return slot;
  }

  drop(slot: number): void {
    if (slot !== NOTHING) this.#free.push(slot);
  }

  read(slot: number): Float32Array {
    const at = (slot * this.#stride) / 4;
    return this.#numbers.slice(at, at + this.dimensions);
  }

  /** FNV-1a over its numbers: tells one vector from another, and protects nothing. */
  fingerprint(slot: number): number {
    const words = new Uint32Array(this.#memory.buffer, slot * this.#stride, this.dimensions);
    let hash = 0x811c9dc5;
    for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
    return hash >>> 0;
  }

  /** What `toQuery` compares with from now on. */
  ask(vector: Float32Array): void {
    this.#write(QUERY, vector);
  }

  toQuery(slot: number): number {
    return this.between(QUERY, slot);
  }

  between(one: number, other: number): number {
    const first = one * this.#stride;
    return this.#dot(first, other * this.#stride, first + this.#stride);
  }

  #write(slot: number, vector: Float32Array): void {
    if (vector.length !== this.dimensions) {
      throw new RangeError(`a vector of ${vector.length} numbers, expected ${this.dimensions}`);
    }
    this.#numbers.set(vector, (slot * this.#stride) / 4);
  }

  #reserve(slots: number): void {
    const bytes = slots * this.#stride;
    const there = this.#numbers.byteLength;
    if (bytes <= there) return;
    const most = MOST_PAGES * PAGE;
    if (bytes > most) throw new MemoryFull(`more vectors of ${this.dimensions} numbers than ${most} bytes hold`);
    this.#memory.grow(Math.ceil((Math.min(most, Math.max(bytes, there * (1 + GROWTH))) - there) / PAGE));
    this.#numbers = new Float32Array(this.#memory.buffer);
  }
}
