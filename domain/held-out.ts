/**
 * What is held out from training, so that a gain on it is one on questions nobody learned from.
 *
 * 1. Packages of one family (a scope, or a shared first name) share authors and phrases: a family is held out whole.
 * 2. Which families are held out depends on their names and sizes alone.
 * 3. Folds are disjoint, hold every query once, and differ in size by one at most.
 */
import { hash32 } from './random.ts';

/** `@fastify/swagger` and `fastify-plugin` → fastify; `@types/node` → node, because a package's types are about the package. */
export const familyOf = (name: string): string =>
  /^[^-_./]+/.exec(name.replace(/^@types\//, '').replace(/^@/, ''))?.[0] ?? name;

/** Families, in an order that their names give, until they hold at least `share` of all items. */
export function heldOutFamilies(families: Iterable<string>, share: number): Set<string> {
  const sizes = new Map<string, number>();
  let all = 0;
  for (const family of families) {
    sizes.set(family, (sizes.get(family) ?? 0) + 1);
    all++;
  }
  const order = [...sizes.keys()].sort((a, b) => hash32(`held out:${a}`) - hash32(`held out:${b}`) || (a < b ? -1 : 1));
  const held = new Set<string>();
  let holding = 0;
  for (const family of order) {
    if (holding >= share * all) break;
    held.add(family);
    holding += sizes.get(family) ?? 0;
  }
  return held;
}

/** `count` groups of items, by the hash of their ids. */
export function folds<T extends { readonly id: string }>(items: readonly T[], count: number, seed: number): T[][] {
  const key = ({ id }: T): number => hash32(`fold ${seed}:${id}`);
  const shuffled = [...items].sort((a, b) => key(a) - key(b) || (a.id < b.id ? -1 : 1));
  return Array.from({ length: count }, (_, fold) => shuffled.filter((_, place) => place % count === fold));
}
