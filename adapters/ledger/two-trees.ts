/**
 * The trees that a damaged ledger may once have been. Each row names the hash of the row before it, so there are two
 * witnesses for each leaf: the row's own hash, and the word of the row after it. Where one of the two trees has the root
 * that was signed, it says which of the witnesses was damaged.
 */
import { grown, rootOf } from '../../domain/merkle.ts';
import { EMPTY_ROOT, joined } from './hashing.ts';

export interface Roots {
  /** Over the hashes that stand in the rows; null where one is missing. */
  readonly own: string | null;
  /** Over the hashes that the rows after them name; null where two in a row are missing. */
  readonly told: string | null;
}

type Peaks = readonly string[] | null;
const withLeaf = (peaks: Peaks, size: number, leaf: string | null): Peaks =>
  peaks === null || leaf === null ? null : grown(peaks, size, leaf, joined);
const rootIn = (peaks: Peaks): string | null => (peaks === null ? null : rootOf(peaks, joined, EMPTY_ROOT));

export class TwoTrees {
  #size = 0;
  #own: Peaks = [];
  /** One leaf behind: the row after it has not spoken yet. */
  #told: Peaks = [];
  #newest: string | null = null;
  readonly #wanted = new Set<number>();
  readonly #roots = new Map<number, Roots>();

  /** The roots at this size will be asked for. */
  want(size: number): void {
    this.#wanted.add(size);
  }

  /** The next row; null stands for what is missing or cannot be read. */
  add(row: { readonly hash: string; readonly prev: string } | null): void {
    this.#settle(row?.prev ?? this.#newest);
    this.#own = withLeaf(this.#own, this.#size, row?.hash ?? null);
    this.#newest = row?.hash ?? null;
    this.#size += 1;
  }

  end(): void {
    this.#settle(this.#newest);
  }

  at(size: number): Roots | null {
    return this.#roots.get(size) ?? null;
  }

  #settle(leaf: string | null): void {
    if (this.#size > 0) this.#told = withLeaf(this.#told, this.#size - 1, leaf);
    if (!this.#wanted.has(this.#size)) return;
    this.#roots.set(this.#size, { own: rootIn(this.#own), told: rootIn(this.#told) });
  }
}
