import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BreadthTrial } from '../../adapters/retrieval/breadth-trial.ts';
import { keepGraph, keptGraph } from '../../adapters/retrieval/graph-file.ts';
import { Best } from '../../adapters/retrieval/nearest.ts';
import { VectorSpace } from '../../adapters/retrieval/vector-space.ts';
import type { MetadataFilter } from '../../contracts/retrieval.ts';
import { seeded } from '../../domain/random.ts';
import { VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DIMENSIONS = 16;
const GRAPH_FROM = 400;

/** A space, and beside it every vector that it holds. */
const world = (memory = new VectorMemory(DIMENSIONS)) => {
  const next = seeded(7);
  const vector = () => {
    const numbers = Float32Array.from({ length: DIMENSIONS }, () => next() - 0.5);
    const length = Math.hypot(...numbers);
    return numbers.map((number) => number / length);
  };
  const space = new VectorSpace(memory, GRAPH_FROM);
  const held = new Map<number, { readonly vector: Float32Array; readonly odd: boolean }>();
  const nearest = (asked: Float32Array, limit = 10, filter: MetadataFilter = {}) => {
    memory.ask(asked);
    return space.nearest(limit, filter).map(({ entry }) => entry.key);
  };
  return {
    memory,
    space,
    held,
    vector,
    nearest,
    add(from: number, to: number) {
      for (let key = from; key < to; key++) {
        const one = { vector: vector(), odd: key % 2 === 1 };
        held.set(key, one);
        space.add(key, { id: `d${key}`, metadata: { odd: one.odd, tenth: key % 10 } }, one.vector);
      }
    },
    remove(from: number, to: number) {
      for (let key = from; key < to; key++) {
        held.delete(key);
        space.remove(key);
      }
    },
    improve() {
      while (space.improve());
    },
    recall(filter: MetadataFilter = {}, passes: (key: number) => boolean = () => true) {
      let [found, there] = [0, 0];
      for (let n = 0; n < 20; n++) {
        const asked = vector();
        const product = (other: Float32Array) => asked.reduce((sum, number, at) => sum + number * (other[at] ?? 0), 0);
        const truth = [...held]
          .filter(([key]) => passes(key))
          .map(([key, one]) => ({ key, score: product(one.vector) }))
          .sort((a, b) => b.score - a.score)
          .slice(0, 10)
          .map(({ key }) => key);
        const answer = new Set(nearest(asked, 10, filter));
        expect([...answer].every((key) => held.has(key) && passes(key))).toBe(true);
        found += truth.filter((key) => answer.has(key)).length;
        there += truth.length;
      }
      return found / there;
    },
  };
};

test('few vectors have no graph and miss nothing', () => {
  const one = world();
  one.add(1, GRAPH_FROM);
  one.improve();
  expect(one.space.graph).toBeNull();
  expect(one.recall()).toBe(1);
});

test('many have a graph, which finds 95 of 100 and answers only when it was tried', () => {
  const one = world();
  one.add(1, 3_000);
  one.space.improve();
  expect(one.space.graph?.breadth).toBeNull();
  expect(one.recall()).toBe(1);
  one.improve();
  expect(one.space.graph).toMatchObject({ size: 2_999, breadth: expect.any(Number) });
  expect(one.recall()).toBeGreaterThanOrEqual(0.95);
});

test.each([
  ['a narrow one is enough', 1, 64],
  ['half of what is found by a narrow one', 256, 256],
  ['nothing is found by any', 10_000, null],
] as const)('a search is as broad as finding enough needs: %s', (_, enough, expected) => {
  const { memory, vector } = world();
  const document = { id: '', metadata: {} };
  const nodes = Array.from({ length: 300 }, (_, key) => ({
    key,
    document,
    slot: memory.add(vector()),
    alive: key > 9,
  }));
  const trial = new BreadthTrial(memory);
  const near = (breadth: number) => {
    const best = new Best(breadth < enough ? 5 : 10);
    for (const entry of nodes) if (entry.alive) best.offer(entry, memory.toQuery(entry.slot));
    return best.found;
  };
  while (!trial.isDone) trial.step(nodes, near);
  expect(trial.breadth).toBe(expected);
});

test('what comes after the graph was made is found at once, and what goes is found no more', () => {
  const one = world();
  one.add(1, 2_000);
  one.improve();
  one.add(2_000, 2_200);
  one.remove(1, 150);
  expect(one.space.graph?.pending.size).toBe(200);
  expect(one.recall()).toBeGreaterThanOrEqual(0.95);
  const [key, held] = [...one.held].at(-1) ?? [];
  expect(one.nearest(held?.vector ?? one.vector(), 1)).toEqual([key]);
});

test('a filter that many pass goes through the graph, one that few pass looks at all of them', () => {
  const one = world();
  one.add(1, 3_000);
  one.improve();
  expect(one.recall({ odd: true }, (key) => key % 2 === 1)).toBeGreaterThanOrEqual(0.95);
  expect(one.recall({ tenth: 3 }, (key) => key % 10 === 3)).toBe(1);
  one.remove(1, 1_000);
  one.add(5_000, 5_500);
  expect(one.recall({ tenth: 3 }, (key) => key % 10 === 3)).toBe(1);
});

test('a graph with too much in it that is gone is made anew, and the places are used again', () => {
  const one = world();
  one.add(1, 2_000);
  one.improve();
  const graph = one.space.graph;
  one.remove(1, 1_000);
  expect(one.space.graph).toBe(graph);
  expect(one.recall()).toBeGreaterThanOrEqual(0.95);
  one.improve();
  expect(one.space.graph?.size).toBe(1_000);
  expect(one.recall()).toBeGreaterThanOrEqual(0.95);
  const reused = new Set(Array.from({ length: 999 }, () => one.memory.add(one.vector())));
  expect(Math.max(...reused)).toBeLessThanOrEqual(2_001);
  expect(reused.size).toBe(999);
});

test('vectors that come while others go keep to themselves, before and after the graph is made anew', () => {
  const one = world();
  one.add(1, 1_000);
  one.improve();
  one.remove(1, 700);
  one.add(2_000, 2_400);
  one.improve();
  one.remove(2_300, 2_400);
  one.add(3_000, 3_900);
  const own = (key: number) => one.memory.read(one.space.entry(key)?.slot ?? -1);
  for (const [key, { vector }] of one.held) expect(own(key)).toEqual(vector);
});

test('a space that has become small gives its graph up', () => {
  const one = world();
  one.add(1, 1_000);
  one.improve();
  one.remove(1, 900);
  one.improve();
  expect(one.space.graph).toBeNull();
  expect(one.recall()).toBe(1);
});

const kept = () => {
  const one = world();
  one.add(1, 1_500);
  one.improve();
  const path = join(temporaryFolder(), 'one.graph');
  const graph = one.space.graph?.kept();
  if (graph) keepGraph(path, graph, one.memory);
  const again = world();
  again.add(1, 1_500);
  const take = () => keptGraph(path, (key) => again.space.entry(key), again.memory);
  return { one, again, path, take };
};

test('a graph that was kept is taken up, and answers as it did', () => {
  const { one, again, take } = kept();
  const found = take();
  if (found) again.space.restore(found);
  expect(again.space.graph).toMatchObject({ size: 1_499, breadth: one.space.graph?.breadth });
  expect(again.space.improve()).toBe(false);
  const asked = one.vector();
  expect(again.nearest(asked)).toEqual(one.nearest(asked));
});

test('a graph that was kept before others came and went is brought up to date', () => {
  const { again, take } = kept();
  again.remove(1, 100);
  again.add(2_000, 2_100);
  const found = take();
  if (found) again.space.restore(found);
  expect(again.space.graph?.size).toBe(1_499);
  expect(again.recall()).toBeGreaterThanOrEqual(0.95);
  again.improve();
  expect(again.space.graph?.pending.size).toBe(0);
  expect(again.recall()).toBeGreaterThanOrEqual(0.95);
});

test('a graph of other vectors under the same keys is not used', () => {
  const { path } = kept();
  const other = world();
  other.vector();
  other.add(1, 1_500);
  expect(keptGraph(path, (key) => other.space.entry(key), other.memory)).toBeNull();
});

test.each([
  ['a bit that fell over', (bytes: Buffer) => bytes.fill((bytes[5_000] ?? 0) ^ 1, 5_000, 5_001)],
  ['an end that is missing', (bytes: Buffer) => bytes.subarray(0, bytes.length - 7)],
  ['nothing in it', () => Buffer.alloc(0)],
  ['something else in it', () => Buffer.from('this was never a graph, though it is long enough to be one')],
])('a kept graph with %s is not used', (_, damage) => {
  const { path, take } = kept();
  expect(take()).not.toBeNull();
  writeFileSync(path, damage(readFileSync(path)));
  expect(take()).toBeNull();
});
