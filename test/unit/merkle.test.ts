import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_ROOT, hashOfLeaf, joined } from '../../adapters/ledger/hashing.ts';
import { extendsTree, grown, includes, merkleTree, peakRanges, rootOf } from '../../domain/merkle.ts';

interface Vectors {
  readonly empty: string;
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  readonly inclusion: ReadonlyArray<{ index: number; size: number; hashes: readonly string[] }>;
  readonly consistency: ReadonlyArray<{ from: number; size: number; hashes: readonly string[] }>;
}
const vectors: Vectors = JSON.parse(readFileSync(new URL('../fixtures/merkle/vectors.json', import.meta.url), 'utf8'));
const tree = merkleTree(vectors.leaves, joined, EMPTY_ROOT);
const rootAt = (size: number): string => vectors.roots[size] ?? '';
const leafAt = (index: number): string => vectors.leaves[index] ?? '';

const peaksOf = (leaves: readonly string[]): readonly string[] =>
  leaves.reduce<readonly string[]>((peaks, leaf, size) => grown(peaks, size, leaf, joined), []);

describe('against trees that Python made by the definitions of RFC 6962', () => {
  test('the roots of all sizes are the same, all at once and leaf by leaf', () => {
    expect(EMPTY_ROOT).toBe(vectors.empty);
    const sizes = vectors.roots.map((_, size) => size);
    expect(sizes.map((size) => tree.root(size))).toEqual(vectors.roots);
    const oneByOne = sizes.map((size) => rootOf(peaksOf(vectors.leaves.slice(0, size)), joined, EMPTY_ROOT));
    expect(oneByOne).toEqual(vectors.roots);
  });

  test('a leaf is hashed as they hash it', () => {
    expect(hashOfLeaf('')).toBe(leafAt(0));
    for (const index of [8, 20]) expect(hashOfLeaf(`leaf ${index}`)).toBe(leafAt(index));
  });

  test('every inclusion proof is the same, and holds', () => {
    for (const { index, size, hashes } of vectors.inclusion) {
      expect(tree.inclusion(index, size)).toEqual(hashes);
      expect(includes(rootAt(size), { leaf: leafAt(index), index, size, hashes }, joined)).toBe(true);
    }
  });

  test('every consistency proof is the same, and holds', () => {
    for (const { from, size, hashes } of vectors.consistency) {
      expect(tree.consistency(from, size)).toEqual(hashes);
      const growth = { from: { size: from, root: rootAt(from) }, to: { size, root: rootAt(size) }, hashes };
      expect(extendsTree(growth, joined)).toBe(true);
    }
  });

  test('an inclusion proof holds for no other leaf, place, size or root', () => {
    for (const { index, size, hashes } of vectors.inclusion) {
      const holds = (over: object, root = rootAt(size)): boolean =>
        includes(root, { leaf: leafAt(index), index, size, hashes, ...over }, joined);
      expect(holds({ leaf: leafAt(index + 1) || rootAt(0) })).toBe(false);
      expect(holds({ index: index + 1 })).toBe(false);
      expect(holds({ index: -1 })).toBe(false);
      expect(holds({}, rootAt(size - 1))).toBe(false);
      expect(holds({ hashes: [...hashes, rootAt(0)] })).toBe(false);
      if (hashes.length > 0) expect(holds({ hashes: hashes.slice(1) })).toBe(false);
    }
  });

  test('a node inside the tree does not pose as a leaf, although it leads to the root', () => {
    const leaf = joined(leafAt(0), leafAt(1));
    const posed = { leaf, index: 0, size: 4, hashes: [joined(leafAt(2), leafAt(3))] };
    expect(joined(leaf, posed.hashes[0] ?? '')).toBe(rootAt(4));
    expect(includes(rootAt(4), posed, joined)).toBe(false);
  });

  test('a consistency proof holds for no other roots', () => {
    for (const { from, size, hashes } of vectors.consistency) {
      const holds = (first: string, second: string, proof = hashes): boolean =>
        extendsTree({ from: { size: from, root: first }, to: { size, root: second }, hashes: proof }, joined);
      expect(holds(rootAt(from - 1), rootAt(size))).toBe(false);
      expect(holds(rootAt(from), rootAt(size - 1))).toBe(false);
      expect(holds(rootAt(from), rootAt(size), [...hashes, rootAt(0)])).toBe(false);
      if (hashes.length > 0) expect(holds(rootAt(from), rootAt(size), hashes.slice(0, -1))).toBe(false);
    }
  });
});

describe('of any tree', () => {
  const sizes = fc.integer({ min: 1, max: 300 });
  const leavesOf = (size: number): string[] =>
    Array.from({ length: size }, (_, at) => at.toString(16).padStart(64, '0'));
  const big = merkleTree(leavesOf(300), joined, EMPTY_ROOT);

  test('each leaf is proved under each later head, and a changed leaf is not', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(299), (size, some, other) => {
        const index = some % size;
        const inclusion = { leaf: leavesOf(size)[index] ?? '', index, size, hashes: big.inclusion(index, size) };
        expect(includes(big.root(size), inclusion, joined)).toBe(true);
        const changed = { ...inclusion, leaf: joined(inclusion.leaf, inclusion.leaf) };
        expect(includes(big.root(size), changed, joined)).toBe(false);
        if (other !== index) expect(includes(big.root(size), { ...inclusion, index: other }, joined)).toBe(false);
      }),
    );
  });

  test('each head is consistent with each later one, and with no tree in which an early leaf was changed', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, some, where) => {
        const from = 1 + (some % size);
        const growth = { from: { size: from, root: big.root(from) }, to: { size, root: big.root(size) } };
        expect(extendsTree({ ...growth, hashes: big.consistency(from, size) }, joined)).toBe(true);

        const forged = leavesOf(size);
        forged[where % from] = 'f'.repeat(64);
        const other = merkleTree(forged, joined, EMPTY_ROOT);
        const claimed = { ...growth, to: { size, root: other.root(size) } };
        expect(extendsTree({ ...claimed, hashes: other.consistency(from, size) }, joined)).toBe(false);
        expect(extendsTree({ ...claimed, hashes: big.consistency(from, size) }, joined)).toBe(false);
      }),
    );
  });

  test('the peaks are the roots of the ranges that they stand for', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const leaves = leavesOf(size);
        const roots = peakRanges(size).map(([from, to]) => {
          const part = leaves.slice(from, to);
          return merkleTree(part, joined, EMPTY_ROOT).root(part.length);
        });
        expect(peaksOf(leaves)).toEqual(roots);
      }),
    );
  });

  test('what lies outside the tree is an error, not a proof', () => {
    expect(() => tree.inclusion(21, 21)).toThrow(RangeError);
    expect(() => tree.inclusion(0, 22)).toThrow(RangeError);
    expect(() => tree.consistency(0, 5)).toThrow(RangeError);
    expect(() => tree.consistency(6, 5)).toThrow(RangeError);
    expect(includes(rootAt(1), { leaf: leafAt(0), index: 0.5, size: 1, hashes: [] }, joined)).toBe(false);
  });
});
