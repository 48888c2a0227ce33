import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { homePaths } from '../../adapters/home.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { SealOrder } from '../../contracts/evidence.ts';
import type { Stage } from '../../contracts/plan.ts';
import { type CycleEvidence, PLAN } from '../support/cycle-evidence.ts';
import { errorOf } from './cli-world.ts';
import { type Scene, scene } from './evidence-scene.ts';

interface Replayed {
  readonly agrees: boolean;
  readonly problems: readonly string[];
  readonly decisions: ReadonlyArray<{ what: string; recorded: string; derived: string; agrees: boolean | null }>;
  readonly course: object;
  readonly whatIf: {
    decisions: Replayed['decisions'];
    course: { ended?: string; goesOnTo?: string; because?: string };
  };
}
const replayed = async ({ pawl }: Scene, ...more: readonly string[]) => {
  const { code, json } = await pawl('cycle', 'replay', '--no-history', '--json', ...more);
  return { code, ...(json as Replayed) };
};
const verdicts = ({ decisions }: Pick<Replayed, 'decisions'>) =>
  Object.fromEntries(decisions.map(({ what, agrees }) => [what, agrees]));

/** Another evidence of one stage than the one that it left, sealed as if it were its own. */
const instead =
  (stage: Stage, change: (left: never) => object) =>
  async (order: SealOrder, { service }: CycleEvidence): Promise<SealOrder> => {
    const { artifacts } = service.deps;
    const left = await artifacts.getJson(order.evidence[stage] as ArtifactRef);
    const evidence = {
      ...order.evidence,
      [stage]: await artifacts.putJson({ ...(left as object), ...change(left as never) }),
    };
    return { ...order, evidence };
  };

describe('a cycle that is as it was recorded', () => {
  test('is derived again from its evidence, decision by decision', async () => {
    const world = await scene();
    const result = await replayed(world);
    expect(result.problems).toEqual([]);
    expect(verdicts(result)).toEqual({
      'gate quality': true,
      'gate speed': true,
      training: true,
      'offline verdict': true,
      watch: true,
      end: true,
    });
    expect(result).toMatchObject({
      code: 0,
      agrees: true,
      course: { ended: 'promoted', challenger: world.challenger },
    });
    const { stdout } = await world.pawl('cycle', 'replay', '--no-history');
    expect(stdout).toMatch(/✓ gate quality +breach: ndcg/);
    expect(stdout).toMatch(/✓ end +promoted/);
  });
});

describe('what does not follow from the evidence is told, with exit code 13', () => {
  const lies: ReadonlyArray<readonly [what: string, stage: Stage, change: (left: never) => object]> = [
    [
      'gate quality',
      'monitor',
      ({ findings: [first, ...rest] }: { findings: object[] }) => ({
        findings: [{ ...first, state: 'pass' }, ...rest],
      }),
    ],
    [
      'training',
      'train',
      ({ trials }: { trials: object[] }) => ({ trials: trials.map((one, at) => ({ ...one, kept: at === 0 })) }),
    ],
    ['training', 'train', () => ({ challenger: 'f'.repeat(64) })],
    ['training', 'train', () => ({ seed: 8 })],
    [
      'offline verdict',
      'evaluate',
      ({ scores }: { scores: object[] }) => ({ scores: scores.map((one) => ({ ...one, challenger: 0 })) }),
    ],
    [
      'offline verdict',
      'evaluate',
      ({ difference }: { difference: object }) => ({ difference: { ...difference, low: 0.2 } }),
    ],
    ['watch', 'watch', () => ({ reasons: ['it looked fine'] })],
  ];
  test.each(lies)('%s: the %s says something else', async (what, stage, change) => {
    const result = await replayed(await scene(instead(stage, change)));
    expect(result).toMatchObject({ code: 13, agrees: false });
    expect(verdicts(result)).toMatchObject({ [what]: false });
    expect(result.problems).toContain(`${what}: not what was recorded`);
  });

  test('an end that its decisions do not lead to', async () => {
    const world = await scene((order) => ({
      ...order,
      end: { ...order.end, outcome: 'kept', because: 'no gate is breached' },
    }));
    const result = await replayed(world);
    expect(result).toMatchObject({ code: 13, course: { ended: 'promoted' } });
    expect(verdicts(result)).toMatchObject({ end: false, training: true });
  });

  test('an artifact that was changed after it was sealed', async () => {
    const world = await scene();
    const { artifacts } = homePaths(world.home);
    appendFileSync(artifactPath(artifacts, world.order.evidence.evaluate?.sha256 ?? ''), ' ');
    const result = await replayed(world);
    expect(result.code).toBe(13);
    expect(result.decisions.find(({ what }) => what === 'offline verdict')).toMatchObject({
      agrees: false,
      derived: expect.stringContaining('should have the digest'),
    });
  });

  test('a file of the folder that was changed after it was sealed', async () => {
    const world = await scene();
    writeFileSync(join(world.folder, 'evaluation.json'), '{}');
    const result = await replayed(world);
    expect(result.code).toBe(13);
    expect(result.problems).toContainEqual(expect.stringMatching(/^evaluation\.json was changed/));
    expect(verdicts(result), 'the decision is read by its digest, and cannot be changed here').toMatchObject({
      'offline verdict': true,
    });
  });

  test('evidence that a stage left out', async () => {
    const world = await scene(({ evidence: { watch: _, ...evidence }, ...order }) => ({ ...order, evidence }));
    const result = await replayed(world);
    expect(result.code).toBe(13);
    expect(verdicts(result)).toMatchObject({ watch: false, end: true });
  });
});

test("a stage of the service's own is named as not derivable, and is no agreement", async () => {
  const own = { runs: 'activity', name: 'compare', taskQueue: 'docs-python', timeoutMs: 1_000 } as const;
  const world = await scene((order) => ({ ...order, plan: { ...PLAN, stages: { ...PLAN.stages, evaluate: own } } }));
  const result = await replayed(world);
  expect(result.problems).toEqual([]);
  expect(verdicts(result)).toMatchObject({ 'offline verdict': null, end: true });
  expect((await world.pawl('cycle', 'replay', '--no-history')).stdout).toMatch(/- offline verdict +not derivable/);
});

describe('what if', () => {
  test('other settings would have ended it otherwise, or would have gone on to what is not recorded', async () => {
    const world = await scene();
    const asked = async (...changes: readonly string[]) => {
      const { code, whatIf } = await replayed(world, '--what-if', ...changes);
      expect(code, 'what was recorded still agrees').toBe(0);
      return whatIf.course;
    };
    expect(await asked('gate.drop=99%')).toMatchObject({ ended: 'kept', because: 'no gate is breached' });
    expect(await asked('gates.quality.samples=1000')).toMatchObject({ ended: 'kept' });
    expect(await asked('gate.drop=99%', 'trigger=hand')).toMatchObject({ ended: 'promoted' });
    expect(await asked('watch.samples=1000')).toMatchObject({ ended: 'rolled back' });
    expect(await asked('mode=observe')).toMatchObject({ ended: 'kept', because: 'mode observe' });
    expect(await asked('training.trials=1')).toMatchObject({ ended: 'rejected', because: 'nothing to try' });
    expect(await asked('approval.quorum=2')).toEqual({ goesOnTo: 'approve' });
    expect(await asked('gate.drop=1%')).toMatchObject({ ended: 'promoted' });
  });

  test('what would have gone on is said so, and nothing is made up about it', async () => {
    const world = await scene((order) => {
      const { monitor } = order.evidence;
      const end = {
        outcome: 'kept',
        because: 'no gate is breached',
        challenger: null,
        champion: order.champion,
      } as const;
      const gates = PLAN.gates.map((gate) => ('drop' in gate.rule ? { ...gate, rule: { drop: 0.99 } } : gate));
      return { ...order, plan: { ...PLAN, gates }, end, done: ['monitor'], evidence: { ...(monitor && { monitor }) } };
    });
    const { stdout } = await world.pawl('cycle', 'replay', '--no-history', '--what-if', 'gate.drop=2%');
    expect(stdout).toMatch(/gate quality +breach: .*\(it was pass/);
    expect(stdout).toContain('would have gone on to diagnose: not recorded');
  });

  test('a name that there is not is refused, with those that there are', async () => {
    const world = await scene();
    const ran = await world.pawl('cycle', 'replay', '--no-history', '--what-if', 'gate.fall=2%', '--json');
    expect(ran.code).toBe(2);
    expect(errorOf(ran).message).toMatch(/there is no "gate\.fall" to change; there are gate\.drop, .*watch\.maxDrop/);
    const other = await world.pawl('cycle', 'replay', '--no-history', '--what-if', 'gates.speedy.above=3', '--json');
    expect(errorOf(other).message).toContain('there is no gate "speedy"; there are: quality, speed');
  });
});
