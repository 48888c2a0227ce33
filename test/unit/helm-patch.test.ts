import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fileBytes, problemOfFile } from '../../adapters/evidence/files.ts';
import { type HelmDecision, helmPatch, weightsOf } from '../../domain/helm-patch.ts';

const [old, better] = ['a'.repeat(64), 'b'.repeat(64)];
const artifactOf = (sha256: string) => ({ uri: `artifact:sha256/${sha256}`, sha256 });
const decision = (over: Partial<HelmDecision> = {}): HelmDecision => ({
  ...{ service: 'docs', environment: 'production', cycle: 'si_2026_11_21_001', outcome: 'promoted' },
  configuration: { sha256: 'c'.repeat(64), commit: null },
  arms: [{ variant: better, share: 1 }],
  champion: better,
  artifacts: { [old]: artifactOf(old), [better]: artifactOf(better) },
  evidence: 'd'.repeat(64),
  token: { epoch: 2, promotion: 7 },
  ...over,
});
const written = (given: HelmDecision): string => fileBytes('helm_patch', helmPatch(given), 'yaml').toString();

test('a promotion is one champion with all of the weight, its artifact, and where it comes from', () => {
  expect(parse(written(decision()))).toEqual({
    schema: 'pawl/helm_patch/v1',
    cycle: 'si_2026_11_21_001',
    outcome: 'promoted',
    selfImprovement: {
      environment: 'production',
      configuration: { sha256: 'c'.repeat(64), commit: null },
      services: {
        docs: {
          champion: { id: better, share: 1, artifact: artifactOf(better) },
          weights: { [better]: 100 },
          annotations: {
            'pawl/cycle': 'si_2026_11_21_001',
            'pawl/evidence': `sha256:${'d'.repeat(64)}`,
            'pawl/token': '2.7',
          },
        },
      },
    },
  });
});

test('while it is on trial, champion and challenger are both there with their weights', () => {
  const arms = [
    { variant: better, share: 0.05 },
    { variant: old, share: 0.95 },
  ];
  const { selfImprovement } = parse(written(decision({ outcome: 'rolled back', champion: old, arms })));
  expect(selfImprovement.services.docs).toMatchObject({
    champion: { id: old, share: 0.95 },
    challenger: { id: better, share: 0.05 },
    weights: { [old]: 95, [better]: 5 },
  });
});

test('it is a file that the evidence takes, and says the same in whatever order it was put together', () => {
  const text = written(decision());
  expect(problemOfFile('helm_patch.yaml', Buffer.from(text))).toBeNull();
  const { token, evidence, ...rest } = decision();
  expect(written({ evidence, token, ...rest })).toBe(text);
});

test('an annotation that looks like a number stays text', () => {
  const { selfImprovement } = parse(written(decision({ token: { epoch: 1, promotion: 10 } })));
  expect(selfImprovement.services.docs.annotations['pawl/token']).toBe('1.10');
});

test('what nobody knows any more is said so, and a mirror has no weight', () => {
  const arms = [
    { variant: better, share: 1 },
    { variant: old, share: 0, mirror: 0.5 },
  ];
  const { services } = helmPatch(decision({ arms, artifacts: {}, evidence: null, token: null })).selfImprovement;
  expect(services.docs).toEqual({
    champion: { id: better, share: 1, artifact: null },
    weights: { [better]: 100 },
    annotations: { 'pawl/cycle': 'si_2026_11_21_001' },
  });
});

describe('weights', () => {
  const shares = fc
    .array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.map((part) => part / parts.reduce((sum, one) => sum + one, 0)));

  test('are whole per cent that add up to 100, and whoever has a share keeps one', () => {
    fc.assert(
      fc.property(shares, (given) => {
        const weights = weightsOf(given.map((share, n) => ({ variant: `v${n}`, share })));
        const values = Object.values(weights);
        expect(values).toHaveLength(given.length);
        expect(values.reduce((sum, one) => sum + one, 0)).toBe(100);
        expect(values.every((one) => Number.isInteger(one) && one >= 1)).toBe(true);
      }),
    );
  });

  test.each([
    [
      [0.95, 0.05],
      [95, 5],
    ],
    [
      [0.9, 0.1],
      [90, 10],
    ],
    [
      [1 / 3, 2 / 3],
      [33, 67],
    ],
    [
      [0.999, 0.001],
      [99, 1],
    ],
    [
      [0.29, 0.71],
      [29, 71],
    ],
  ])('of %j are %j', (given, expected) => {
    expect(Object.values(weightsOf(given.map((share, n) => ({ variant: `v${n}`, share }))))).toEqual(expected);
  });
});
