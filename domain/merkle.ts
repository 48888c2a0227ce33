/**
 * The Merkle tree of RFC 6962 (and its proofs as RFC 9162 checks them) over hashes that are given: `join` hashes a node
 * from its two halves. Hashes are hex texts; what the tree is over, and how a leaf is hashed, is the caller's.
 *
 * 1. A tree of n leaves is split at the largest power of two below n, so the left half never changes again.
 * 2. The peaks are the roots of the complete trees that n is made of, largest first: one for each bit of n. They are all
 *    that an append needs, so it costs O(log n).
 */
export type Join = (left: string, right: string) => string;

/** The peaks after one more leaf. */
export const grown = (peaks: readonly string[], size: number, leaf: string, join: Join): readonly string[] => {
  const kept = [...peaks];
  let peak = leaf;
  for (let left = size; left % 2 === 1; left = (left - 1) / 2) peak = join(kept.pop() ?? '', peak);
  kept.push(peak);
  return kept;
};

/** `empty` is the root of no leaves: the hash of nothing. */
export const rootOf = (peaks: readonly string[], join: Join, empty: string): string =>
  peaks.length === 0 ? empty : peaks.reduceRight((right, left) => join(left, right));

/** The ranges of leaves that the peaks of a tree of this size stand for, [from, to). */
export const peakRanges = (size: number): ReadonlyArray<readonly [from: number, to: number]> => {
  const ranges: Array<[number, number]> = [];
  for (let from = 0; from < size; ) {
    const to = from + powerUpTo(size - from);
    ranges.push([from, to]);
    from = to;
  }
  return ranges;
};

export interface MerkleTree {
  readonly size: number;
  /** Of the first `size` leaves. */
  root(size: number): string;
  /** That leaf `index` is in the tree of the first `size` leaves; nearest sibling first. */
  inclusion(index: number, size: number): readonly string[];
  /** That the tree of the first `from` leaves is the beginning of the tree of the first `size`. */
  consistency(from: number, size: number): readonly string[];
}

/** Hashes every node once; each answer afterwards is O(log² n) or less. */
export const merkleTree = (leaves: readonly string[], join: Join, empty: string): MerkleTree => {
  const levels: Array<readonly string[]> = [leaves];
  for (let below: readonly string[] = leaves; below.length > 1; ) {
    const level: string[] = [];
    for (let at = 0; at + 1 < below.length; at += 2) level.push(join(below[at] ?? '', below[at + 1] ?? ''));
    levels.push(level);
    below = level;
  }

  const hashOf = (from: number, to: number): string => {
    const size = to - from;
    if (powerUpTo(size) === size) return levels[Math.log2(size)]?.[from / size] ?? '';
    const middle = from + powerBelow(size);
    return join(hashOf(from, middle), hashOf(middle, to));
  };
  const within = (size: number): void => {
    if (!(Number.isSafeInteger(size) && size >= 0 && size <= leaves.length)) {
      throw new RangeError(`There is no tree of size ${size}: there are ${leaves.length} leaves`);
    }
  };

  return {
    size: leaves.length,
    root: (size) => {
      within(size);
      return size === 0 ? empty : hashOf(0, size);
    },
    inclusion: (index, size) => {
      within(size);
      if (!(Number.isSafeInteger(index) && index >= 0 && index < size)) {
        throw new RangeError(`There is no leaf ${index} in a tree of size ${size}`);
      }
      const path: string[] = [];
      for (let [from, to] = [0, size]; to - from > 1; ) {
        const middle = from + powerBelow(to - from);
        path.push(index < middle ? hashOf(middle, to) : hashOf(from, middle));
        if (index < middle) to = middle;
        else from = middle;
      }
      return path.reverse();
    },
    consistency: (first, size) => {
      within(size);
      if (!(Number.isSafeInteger(first) && first > 0 && first <= size)) {
        throw new RangeError(`A tree of size ${size} grew from one of size 1 to ${size}, not ${first}`);
      }
      const path: string[] = [];
      let [from, to] = [0, size];
      // Down to the node where the first tree ends; what it shares with its sibling is known to the reader.
      while (first !== to) {
        const middle = from + powerBelow(to - from);
        path.push(first <= middle ? hashOf(middle, to) : hashOf(from, middle));
        if (first <= middle) to = middle;
        else from = middle;
      }
      return from === 0 ? path.reverse() : [hashOf(from, to), ...path.reverse()];
    },
  };
};

export interface Inclusion {
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly string[];
}

/** Whether the proof leads from the leaf to this root (RFC 9162, 2.1.3.2). */
export const includes = (root: string, { leaf, index, size, hashes }: Inclusion, join: Join): boolean => {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of hashes) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = join(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = join(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash === root;
};

export interface Growth {
  readonly from: { readonly size: number; readonly root: string };
  readonly to: { readonly size: number; readonly root: string };
  readonly hashes: readonly string[];
}

/** Whether the smaller tree is the beginning of the larger one (RFC 9162, 2.1.4.2). */
export const extendsTree = ({ from, to, hashes }: Growth, join: Join): boolean => {
  if (!(Number.isSafeInteger(from.size) && Number.isSafeInteger(to.size) && from.size > 0)) return false;
  if (from.size > to.size) return false;
  if (from.size === to.size) return hashes.length === 0 && from.root === to.root;
  const [first, ...rest] = powerUpTo(from.size) === from.size ? [from.root, ...hashes] : hashes;
  if (first === undefined) return false;
  let [node, last] = [from.size - 1, to.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [old, now] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [old, now] = [join(hash, old), join(hash, now)];
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      now = join(now, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && old === from.root && now === to.root;
};

const half = (n: number): number => Math.floor(n / 2);

/** The largest power of two that is n or less. */
const powerUpTo = (n: number): number => {
  let power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
};
const powerBelow = (n: number): number => powerUpTo(n - 1);
