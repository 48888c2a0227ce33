import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hash32, seeded } from '../../../domain/random.ts';
import { words } from '../../../domain/tokens.ts';
import { Hnsw, type HnswTables } from '../../../ml/retrieval/hnsw.ts';
import { NOTHING, VectorMemory } from '../../../ml/retrieval/vector-memory.ts';

const SETTINGS = { links: 16, breadth: 100, seed: 1 };
const everyone = () => true;

const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector) || 1;
  return vector.map((number) => number / length);
};
const random = (seed: number, dimensions: number): (() => Float32Array) => {
  const next = seeded(seed);
  return () => unit(Float32Array.from({ length: dimensions }, () => next() - 0.5));
};

interface World {
  readonly memory: VectorMemory;
  readonly slots: readonly number[];
  readonly graph: Hnsw;
}
const graphOver = (vectors: readonly Float32Array[]): World => {
  const memory = new VectorMemory(vectors[0]?.length ?? 0);
  const slots = vectors.map((vector) => memory.add(vector));
  const graph = new Hnsw((one, other) => memory.between(slots[one] ?? 0, slots[other] ?? 0), SETTINGS);
  for (const _ of slots) graph.insert();
  return { memory, slots, graph };
};
const search = (
  { memory, slots, graph }: World,
  asked: Float32Array,
  breadth: number,
  accepts: (node: number) => boolean = everyone,
) => {
  memory.ask(asked);
  return graph.search((node) => memory.toQuery(slots[node] ?? 0), breadth, accepts).map(({ node }) => node);
};
const exact = (
  { memory, slots }: World,
  asked: Float32Array,
  depth: number,
  accepts: (node: number) => boolean = everyone,
) => {
  memory.ask(asked);
  return slots
    .map((slot, node) => ({ node, score: memory.toQuery(slot) }))
    .filter(({ node }) => accepts(node))
    .sort((a, b) => b.score - a.score)
    .slice(0, depth)
    .map(({ node }) => node);
};
/** How many of the ten nearest are found; of sentences that stand twice, either is as good. */
const recall = (
  world: World,
  questions: readonly Float32Array[],
  breadth: number,
  accepts = everyone as (node: number) => boolean,
) => {
  const found = questions.map((asked) => {
    const nearest = exact(world, asked, 10, accepts);
    const found = search(world, asked, breadth, accepts).slice(0, 10);
    const score = (node: number) => world.memory.toQuery(world.slots[node] ?? 0);
    const least = Math.min(...nearest.map(score));
    return found.filter((node) => score(node) >= least).length / nearest.length;
  });
  return found.reduce((sum, one) => sum + one, 0) / found.length;
};

/** Sentences of this project's own guides: their words, each with a random direction, the rarer the heavier. */
const sentences = (): Float32Array[] => {
  const root = join(import.meta.dirname, '../../..');
  const texts = globSync('docs/**/*.md', { cwd: root })
    .sort()
    .flatMap((file) => readFileSync(join(root, file), 'utf8').split(/(?<=[.:;|])\s+/))
    .map((text) => words(text))
    .filter((found) => found.length >= 5);
  const holding = new Map<string, number>();
  for (const found of texts) for (const word of new Set(found)) holding.set(word, (holding.get(word) ?? 0) + 1);
  const directions = new Map([...holding.keys()].map((word) => [word, random(hash32(word), 128)()]));
  return texts.map((found) => {
    const sum = new Float32Array(128);
    for (const word of found) {
      const weight = Math.log(texts.length / (holding.get(word) ?? 1));
      for (const [at, number] of (directions.get(word) ?? sum).entries()) sum[at] = (sum[at] ?? 0) + weight * number;
    }
    return unit(sum);
  });
};

test('of the ten nearest among 10,000 random vectors at least 95 of 100 are found', () => {
  const next = random(1, 24);
  const world = graphOver(Array.from({ length: 10_000 }, next));
  expect(recall(world, Array.from({ length: 50 }, next), 128)).toBeGreaterThanOrEqual(0.95);
});

test('of the ten nearest among sentences of real texts at least 95 of 100 are found', () => {
  const all = sentences();
  const questions = all.filter((_, at) => at % 40 === 0);
  const world = graphOver(all.filter((_, at) => at % 40 !== 0));
  expect(world.graph.size).toBeGreaterThan(1_000);
  expect(recall(world, questions, 128)).toBeGreaterThanOrEqual(0.95);
});

test('who is not accepted is no answer but a way to others', () => {
  const next = random(2, 16);
  const world = graphOver(Array.from({ length: 2_000 }, next));
  const one = (node: number) => node % 10 === 3;
  const questions = Array.from({ length: 20 }, next);
  for (const asked of questions) expect(search(world, asked, 20, one).every(one)).toBe(true);
  expect(recall(world, questions, 64, one)).toBeGreaterThanOrEqual(0.95);
});

test('answers come best first, as many as were asked for', () => {
  const next = random(3, 16);
  const world = graphOver(Array.from({ length: 500 }, next));
  world.memory.ask(next());
  const found = world.graph.search((node) => world.memory.toQuery(world.slots[node] ?? 0), 30, everyone);
  expect(found).toHaveLength(30);
  expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
});

test('the same vectors give the same graph, and no node has more neighbours than there is room for', () => {
  const next = random(4, 16);
  const vectors = Array.from({ length: 600 }, next);
  const tables = graphOver(vectors).graph.tables();
  expect(graphOver(vectors).graph.tables()).toEqual(tables);
  expect(Math.max(...tables.levels)).toBeGreaterThan(0);
  for (let node = 0; node < 600; node++) expect(tables.lowest[node * 33]).toBeLessThanOrEqual(32);
});

test('a graph that is made from its tables answers and grows as the one that gave them', () => {
  const next = random(5, 16);
  const vectors = Array.from({ length: 800 }, next);
  const world = graphOver(vectors.slice(0, 700));
  const between = (one: number, other: number) => world.memory.between(world.slots[one] ?? 0, world.slots[other] ?? 0);
  const again: World = { ...world, graph: new Hnsw(between, SETTINGS, world.graph.tables()) };
  const asked = next();
  expect(search(again, asked, 20)).toEqual(search(world, asked, 20));
  const slots = [...world.slots, ...vectors.slice(700).map((vector) => world.memory.add(vector))];
  const grow = (graph: Hnsw): HnswTables => {
    const grown = new Hnsw((a, b) => world.memory.between(slots[a] ?? 0, slots[b] ?? 0), SETTINGS, graph.tables());
    for (let node = 700; node < 800; node++) expect(grown.insert()).toBe(node);
    return grown.tables();
  };
  expect(grow(again.graph)).toEqual(grow(world.graph));
});

test('tables that do not belong together are refused', () => {
  const { graph } = graphOver(Array.from({ length: 50 }, random(6, 8)));
  const tables = graph.tables();
  const shorter = { ...tables, lowest: tables.lowest.slice(1) };
  expect(() => new Hnsw(() => 0, SETTINGS, shorter)).toThrow(RangeError);
});

test('a graph without nodes finds nothing, and one of equal vectors as many as are asked for', () => {
  expect(new Hnsw(() => 0, SETTINGS).search(() => 0, 10, everyone)).toEqual([]);
  const same = unit(Float32Array.from([1, 2, 3]));
  expect(search(graphOver(Array.from({ length: 200 }, () => same)), same, 10)).toHaveLength(10);
});

test.each([1, 15, 16, 17, 384])('products of vectors of %i numbers are the sums over all of them', (dimensions) => {
  const next = random(dimensions, dimensions);
  const memory = new VectorMemory(dimensions);
  const vectors = Array.from({ length: 300 }, next);
  const slots = vectors.map((vector) => memory.add(vector));
  const asked = next();
  memory.ask(asked);
  const product = (a: Float32Array, b: Float32Array) => a.reduce((sum, number, at) => sum + number * (b[at] ?? 0), 0);
  for (const [at, vector] of vectors.entries()) {
    const slot = slots[at] ?? 0;
    expect(memory.read(slot)).toEqual(vector);
    expect(memory.toQuery(slot)).toBeCloseTo(product(asked, vector), 5);
    expect(memory.between(slots[0] ?? 0, slot)).toBeCloseTo(product(vectors[0] ?? vector, vector), 5);
  }
  expect(memory.toQuery(NOTHING)).toBe(0);
});

test('the place of a vector that was dropped is taken by the next one', () => {
  const memory = new VectorMemory(4);
  const [one, two] = [memory.add(new Float32Array([1, 0, 0, 0])), memory.add(new Float32Array([0, 1, 0, 0]))];
  const before = memory.fingerprint(one);
  memory.drop(one);
  expect(memory.add(new Float32Array([0, 0, 1, 0]))).toBe(one);
  expect(memory.fingerprint(one)).not.toBe(before);
  memory.ask(new Float32Array([0, 1, 0, 0]));
  expect([memory.toQuery(one), memory.toQuery(two)]).toEqual([0, 1]);
  expect(() => memory.add(new Float32Array(5))).toThrow(RangeError);
});
