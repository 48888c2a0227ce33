/**
 * Near-duplicates over three-word shingles (Broder 1997): the same comment copied into another file.
 *
 * Within one set they are found by MinHash, which misses one in some twenty. What is held out must be apart from what is
 * learned from without exception, so between two sets every pair that shares a shingle is compared.
 */
import { hash32 } from './random.ts';
import { words } from './tokens.ts';

const BANDS = 8;
const ROWS = 3;
const SAME = 0.7;

/** Keeps the first of each group of texts that are nearly the same. */
export function withoutNearDuplicates<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  const buckets = new Map<string, Array<ReadonlySet<number>>>();
  return items.filter((item) => {
    const shingles = shinglesOf(textOf(item));
    const places = bands(shingles);
    if (places.some((place) => buckets.get(place)?.some((other) => jaccard(shingles, other) >= SAME))) return false;
    for (const place of places) buckets.set(place, [...(buckets.get(place) ?? []), shingles]);
    return true;
  });
}

/** Those of the items that share less than `same` of their shingles with each of the others. */
export function apartFrom<T>(items: readonly T[], others: readonly T[], textOf: (item: T) => string, same = SAME): T[] {
  const sizes: number[] = [];
  const holders = new Map<number, number[]>();
  for (const [place, other] of others.entries()) {
    const shingles = shinglesOf(textOf(other));
    sizes.push(shingles.size);
    for (const shingle of shingles) {
      const known = holders.get(shingle);
      if (known) known.push(place);
      else holders.set(shingle, [place]);
    }
  }
  return items.filter((item) => {
    const shingles = shinglesOf(textOf(item));
    const shared = new Map<number, number>();
    for (const shingle of shingles)
      for (const place of holders.get(shingle) ?? []) shared.set(place, (shared.get(place) ?? 0) + 1);
    return ![...shared].some(([place, both]) => both / (shingles.size + (sizes[place] ?? 0) - both) >= same);
  });
}

function shinglesOf(text: string): Set<number> {
  const all = words(text);
  const shingles = new Set<number>();
  for (let at = 0; at < Math.max(1, all.length - 2); at++) shingles.add(hash32(all.slice(at, at + 3).join(' ')));
  return shingles;
}

function bands(shingles: ReadonlySet<number>): string[] {
  const least = Array.from({ length: BANDS * ROWS }, () => 0xffffffff);
  for (const shingle of shingles) {
    for (let row = 0; row < least.length; row++) {
      const mixed = Math.imul(shingle ^ (row * 0x9e3779b1), 0x85ebca6b) >>> 0;
      const hash = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0;
      if (hash < (least[row] ?? 0)) least[row] = hash;
    }
  }
  return Array.from({ length: BANDS }, (_, band) => `${band}:${least.slice(band * ROWS, (band + 1) * ROWS).join()}`);
}

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let both = 0;
  for (const one of a) if (b.has(one)) both++;
  return both / (a.size + b.size - both);
}
