import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fusion, fuse, type Scored } from '../../domain/fusion.ts';
import { chooseFusion, FUSION_KINDS, type JudgedLegs, LEAST_QUERIES } from '../../domain/fusion-choice.ts';
import { seeded } from '../../domain/random.ts';
import { ndcg } from '../../domain/rank-metrics.ts';

type Leg = 'lexical' | 'dense';
const rrf: Fusion<Leg> = { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: 100 };
const byScores: Fusion<Leg> = { ...rrf, method: 'scores', depth: 3 };
/** Best first, with scores that fall. */
const leg = (...keys: string[]): Scored[] => keys.map((key, at) => ({ key, score: 10 - at }));
const order = (fused: ReadonlyArray<{ readonly key: string }>): string => fused.map(({ key }) => key).join('');

describe('by reciprocal ranks', () => {
  test('a hit gets weight / (k + rank) from each leg, and says where it stood in each', () => {
    const legs = { lexical: leg('a', 'b'), dense: leg('b', 'c') };
    expect(fuse(legs, { ...rrf, k: 10, weights: { lexical: 1, dense: 3 } })).toEqual([
      {
        key: 'b',
        fused: { rank: 1, score: 3 / 11 + 1 / 12 },
        legs: { lexical: { rank: 2, score: 9 }, dense: { rank: 1, score: 10 } },
      },
      { key: 'c', fused: { rank: 2, score: 3 / 12 }, legs: { lexical: null, dense: { rank: 2, score: 9 } } },
      { key: 'a', fused: { rank: 3, score: 1 / 11 }, legs: { lexical: { rank: 1, score: 10 }, dense: null } },
    ]);
  });

  test('scores do not matter, only places', () => {
    const legs = { lexical: leg('a', 'b', 'c'), dense: leg('c', 'd') };
    const other = { ...legs, lexical: legs.lexical.map(({ key, score }) => ({ key, score: score * 1_000 - 7 })) };
    expect(order(fuse(other, rrf))).toBe(order(fuse(legs, rrf)));
  });

  test('only the best of each leg count, each key once', () => {
    const legs = { lexical: leg('a', 'a', 'b', 'c'), dense: leg('d') };
    const fused = fuse(legs, { ...rrf, depth: 2 });
    expect(order(fused)).toBe('dab');
    expect(fused.find(({ key }) => key === 'b')?.legs.lexical?.rank).toBe(2);
  });
});

describe('by scores', () => {
  test('the best of a leg is worth its weight, and the last of a full one nothing', () => {
    const legs = { lexical: leg('a', 'b', 'c'), dense: leg('d', 'e', 'f') };
    const fused = fuse(legs, { ...byScores, weights: { lexical: 0.75, dense: 0.25 } });
    expect(fused.map(({ key, fused: { score } }) => [key, score])).toEqual([
      ['a', 0.75],
      ['b', 0.375],
      ['d', 0.25],
      ['e', 0.125],
      ['c', 0],
      ['f', 0],
    ]);
  });

  test('in a leg that found all there is, the last is worth what its score is worth', () => {
    const lexical = [
      { key: 'a', score: 8 },
      { key: 'b', score: 6 },
    ];
    expect(fuse({ lexical, dense: [] }, byScores).map(({ fused }) => fused.score)).toEqual([1, 0.75]);
  });

  test('hits that are all equally good are all worth the weight', () => {
    const same = ['a', 'b', 'c'].map((key) => ({ key, score: 5 }));
    expect(fuse({ lexical: same, dense: [] }, byScores).map(({ fused }) => fused.score)).toEqual([1, 1, 1]);
  });

  test('the scale of a leg does not matter', () => {
    const legs = { lexical: leg('a', 'b', 'c'), dense: leg('b', 'd', 'a') };
    const scaled = { ...legs, dense: legs.dense.map(({ key, score }) => ({ key, score: score / 500 - 3 })) };
    expect(order(fuse(scaled, byScores))).toBe(order(fuse(legs, byScores)));
  });
});

describe('whatever the legs are', () => {
  const anyLeg = fc
    .array(fc.record({ key: fc.constantFrom(...'abcdefgh'), score: fc.integer({ min: -5, max: 5 }) }), {
      maxLength: 12,
    })
    .map((hits) => hits.sort((a, b) => b.score - a.score));
  const anyFusion: fc.Arbitrary<Fusion<Leg>> = fc.record({
    method: fc.constantFrom('rrf', 'scores'),
    k: fc.integer({ min: 0, max: 100 }),
    weights: fc.record({ lexical: fc.integer({ min: 1, max: 3 }), dense: fc.integer({ min: 0, max: 3 }) }),
    depth: fc.integer({ min: 1, max: 12 }),
  });

  test('the scores fall, the ranks count, and each key is there once', () => {
    fc.assert(
      fc.property(anyLeg, anyLeg, anyFusion, (lexical, dense, settings) => {
        const fused = fuse({ lexical, dense }, settings);
        expect(new Set(fused.map(({ key }) => key)).size).toBe(fused.length);
        for (const [at, { fused: standing }] of fused.entries()) {
          expect(standing.rank).toBe(at + 1);
          expect(standing.score).toBeLessThanOrEqual(fused[at - 1]?.fused.score ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  test('the order does not depend on the order in which legs and weights are named', () => {
    fc.assert(
      fc.property(anyLeg, anyLeg, anyFusion, (lexical, dense, settings) => {
        const { lexical: l, dense: d } = settings.weights;
        const turned = fuse({ dense, lexical }, { ...settings, weights: { dense: d, lexical: l } });
        expect(turned).toEqual(fuse({ lexical, dense }, { ...settings, weights: { lexical: l, dense: d } }));
      }),
    );
  });

  test('a leg of weight 0 changes nothing, and still says where a hit stands', () => {
    fc.assert(
      fc.property(anyLeg, anyLeg, anyFusion, (lexical, dense, settings) => {
        const alone = { ...settings, weights: { lexical: 1, dense: 0 } };
        const fused = fuse({ lexical, dense }, alone);
        expect(order(fused)).toBe(order(fuse({ lexical, dense: [] }, alone)));
        if (settings.method === 'rrf')
          expect(order(fused)).toBe([...new Set(lexical.map(({ key }) => key))].slice(0, settings.depth).join(''));
        const [first] = dense;
        const found = fused.find(({ key }) => key === first?.key);
        if (found) expect(found.legs.dense?.rank).toBe(1);
      }),
    );
  });
});

test('equal scores are ordered by the standing in the heaviest leg, or the first by name, then by key', () => {
  const legs = { lexical: leg('z'), dense: leg('y') };
  expect(order(fuse(legs, rrf))).toBe('yz');
  const three = { a: leg('q', 'x'), b: leg('x', 'q'), c: [] as Scored[] };
  expect(
    order(fuse({ a: leg('x'), b: leg('q', 'z') }, { method: 'rrf', k: 0, depth: 9, weights: { a: 1, b: 2 } })),
  ).toBe('qzx');
  expect(order(fuse(three, { ...rrf, weights: { c: 1, b: 1, a: 1 } }))).toBe('qx');
});

test.each<[Partial<Fusion<Leg>>, RegExp]>([
  [{ k: -1 }, /^k: expected a number of at least 0, found -1/],
  [{ depth: 0 }, /^depth: expected a whole number from 1 on, found 0/],
  [{ weights: { lexical: 0, dense: 0 } }, /^weights: .* found 0, 0/],
  [{ weights: { lexical: -1, dense: 2 } }, /^weights: /],
  [{ weights: { lexical: Number.NaN, dense: 2 } }, /^weights: /],
])('settings that cannot work are refused: %j', (settings, message) => {
  expect(() => fuse({ lexical: leg('a'), dense: [] }, { ...rrf, ...settings })).toThrow(message);
});

test('a score that is no number is refused', () => {
  expect(() => fuse({ lexical: [{ key: 'a', score: Number.NaN }], dense: [] }, rrf)).toThrow('that of a is NaN');
});

describe('the fusion that a corpus gets', () => {
  type Query = JudgedLegs<Leg>;
  const DEPTH = 20;

  /** One relevant document of forty; each leg sees it through noise of its own, and the noise is its scores. */
  const corpus = (count: number, noise: Record<Leg, number>, seed = 1): Query[] => {
    const random = seeded(seed);
    const found = (relevant: number, amount: number) =>
      Array.from({ length: 40 }, (_, at) => ({ at, score: (at === relevant ? 1 : 0) + amount * random() }))
        .sort((a, b) => b.score - a.score)
        .slice(0, DEPTH)
        .map(({ at, score }) => ({ key: `chunk${at}`, document: `d${at}`, score }));
    return Array.from({ length: count }, () => {
      const relevant = Math.floor(random() * 40);
      return {
        legs: { lexical: found(relevant, noise.lexical), dense: found(relevant, noise.dense) },
        judgements: { [`d${relevant}`]: 1 },
      };
    });
  };
  const choose = (queries: readonly Query[], seed = 1) => chooseFusion(queries, { depth: DEPTH, seed });

  test('is the better leg alone, where the other is noise', () => {
    const choice = choose(corpus(120, { lexical: 1_000, dense: 1.2 }));
    expect(choice?.kind).toBe('single leg');
    expect(choice?.settings.weights).toEqual({ lexical: 0, dense: 1 });
  });

  test('is the simplest where all are equal', () => {
    const choice = choose(corpus(120, { lexical: 0, dense: 0 }));
    expect(choice).toMatchObject({ kind: 'single leg', settings: { weights: { lexical: 1, dense: 0 } } });
    expect(choice?.compared.map(({ kind, ndcg }) => [kind, ndcg])).toEqual(FUSION_KINDS.map((kind) => [kind, 1]));
  });

  test('is a fusion where two legs that err apart know more than one', () => {
    const choice = choose(corpus(200, { lexical: 1.6, dense: 1.6 }));
    expect(choice?.kind).not.toBe('single leg');
    const won = choice?.compared.find(({ kind }) => kind === choice.kind);
    expect(won?.gain?.low).toBeGreaterThan(0);
    expect(won?.settings).toEqual(choice?.settings);
  });

  test('comes with what each kind reached and what it gained over the best before it', () => {
    const choice = choose(corpus(60, { lexical: 1.6, dense: 1.6 }));
    expect(choice?.compared.map(({ kind }) => kind)).toEqual([...FUSION_KINDS]);
    expect(choice?.compared[0]?.gain).toBeNull();
    expect(choice?.compared[1]?.gain?.over).toBe('single leg');
  });

  test('is the same again with the same seed', () => {
    const queries = corpus(60, { lexical: 1.6, dense: 1.3 });
    expect(choose(queries, 9)).toEqual(choose(queries, 9));
  });

  test('a kind with many weights gains nothing from noise that it was fitted to', () => {
    const kinds = [1, 2, 3, 4, 5, 6].map((seed) => choose(corpus(30, { lexical: 1_000, dense: 1_000 }, seed))?.kind);
    expect(kinds.filter((kind) => kind !== 'single leg').length).toBeLessThanOrEqual(1);
  });

  test('a kind is scored on queries that its weights were not chosen by', () => {
    const seeds = [1, 2, 3, 4, 5, 6];
    const lost = seeds.map((seed) => {
      const queries = corpus(30, { lexical: 1_000, dense: 1_000 }, seed);
      const { settings, ndcg: scored = 0 } = choose(queries)?.compared.at(-1) ?? {};
      const onAll = queries.map(({ legs, judgements }) =>
        ndcg(settings ? fuse(legs, settings).map(({ key }) => key.replace('chunk', 'd')) : [], judgements),
      );
      return onAll.reduce((a, b) => a + b, 0) / onAll.length - scored;
    });
    expect(lost.reduce((a, b) => a + b, 0)).toBeGreaterThan(0.05);
  });

  test('documents are judged, where legs find chunks', () => {
    const queries = corpus(40, { lexical: 0, dense: 0 }).map(({ legs, judgements }) => ({
      judgements,
      legs: {
        ...legs,
        dense: legs.dense.flatMap((hit) => [hit, { ...hit, key: `${hit.key}-2`, score: hit.score }]),
      },
    }));
    expect(choose(queries)?.compared.map(({ ndcg }) => ndcg)).toEqual([1, 1, 1, 1]);
  });

  test('is not told from too few queries with something relevant', () => {
    const queries = corpus(LEAST_QUERIES, { lexical: 1, dense: 1 });
    expect(choose(queries)).not.toBeNull();
    expect(choose(queries.with(0, { legs: { lexical: [], dense: [] }, judgements: { d1: 0 } }))).toBeNull();
  });
});
