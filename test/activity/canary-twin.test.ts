import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTwin } from '../../activities/canary-twin.ts';
import { createControlActivities } from '../../activities/control.ts';
import { memoryAnswers } from '../../adapters/answer-cache/memory.ts';
import type { ArtifactStore } from '../../adapters/artifacts/port.ts';
import { saveHybrid } from '../../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import type { AskedPolicy } from '../../adapters/policy/port.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { HybridSettings } from '../../contracts/retrieval.ts';
import type { Arm, TrafficChange } from '../../contracts/traffic.ts';
import { cachedSearch } from '../../gateway/answer-cache.ts';
import { at, CYCLE, canaryHome, NOW, SERVICE } from '../support/canary-home.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import { openTestEngine } from '../support/search-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const HYBRID: HybridSettings = {
  ...{ chunking: { method: 'whole' }, lexical: DEFAULT_SETTINGS, dense: null, rerank: null, threshold: null },
  fusion: { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: 20 },
};
type Home = Awaited<ReturnType<typeof canaryHome>>;

const register = async ({ control, artifacts }: Home, content: unknown, service = SERVICE): Promise<string> => {
  const artifact = await artifacts.putJson(content);
  await control.addVariant({ id: artifact.sha256, service, artifact, origin: 'hand', createdAt: at(NOW) });
  return artifact.sha256;
};
const contentOf = async ({ control, artifacts }: Home, id: string) => {
  const variant = await control.variant(id);
  return (variant && (await artifacts.getJson(variant.artifact))) as Record<string, unknown>;
};
const hybridIn = async ({ control, artifacts }: Home): Promise<string> => {
  const { id, artifact } = await saveHybrid(artifacts, SERVICE, HYBRID);
  await control.addVariant({ id, service: SERVICE, artifact, origin: 'hand', createdAt: at(NOW) });
  return id;
};

test.each([
  ['full text', async (home: Home) => home.champion],
  ['hybrid search', hybridIn],
])('a twin in %s is the same content with the cycle beside it, however often it is asked for', async (_, original) => {
  const home = await canaryHome();
  const variant = await original(home);
  const order = { service: SERVICE, variant, cycle: CYCLE };
  const twin = await home.twinOf(order);
  expect(twin.variant).not.toBe(variant);
  expect(await contentOf(home, twin.variant)).toEqual({ ...(await contentOf(home, variant)), twin: CYCLE });
  home.clock.now += 60_000;
  expect(await home.twinOf(order)).toEqual(twin);
  expect((await home.twinOf({ ...order, cycle: 'si_2026_11_21_002' })).variant).not.toBe(twin.variant);
  // A twin of a twin is one of the original too.
  expect(await home.twinOf({ ...order, variant: twin.variant })).toEqual(twin);
  const registered = await home.control.variants(SERVICE);
  expect(registered.filter(({ origin }) => origin === 'twin')).toHaveLength(2);
});

test('what is not registered for the service, or is of no kind that the gateway serves, has no twin', async () => {
  const home = await canaryHome();
  const others = await register(home, { ...(await contentOf(home, home.champion)), service: 'others' }, 'others');
  const own = await register(home, { kind: 'own', service: SERVICE });
  const twin = (variant: string) => home.twinOf({ service: SERVICE, variant, cycle: CYCLE });
  await expect(twin('nobody')).rejects.toMatchObject({ type: 'NotFound' });
  await expect(twin(others)).rejects.toMatchObject({ type: 'NotFound' });
  await expect(twin(own)).rejects.toMatchObject({ type: 'ConfigInvalid' });
});

test.each([
  ['full text', async (home: Home) => home.champion],
  ['hybrid search', hybridIn],
])(
  'the gateway answers from a twin in %s as from its original, and finds nothing of it in the cache',
  async (_, original) => {
    const home = await canaryHome();
    const folder = temporaryFolder();
    const corpus = join(folder, 'corpus.jsonl');
    const documents = ['A harbour is where ships are anchored.', 'A river flows; ships are rare.'];
    writeFileSync(
      corpus,
      documents.map((text, n) => `${JSON.stringify({ _id: `d${n}`, title: `${n}`, text })}\n`).join(''),
    );
    const { engine } = openTestEngine({
      folder,
      corpus,
      artifacts: home.artifacts,
      variant: (id) => home.control.variant(id),
    });
    await engine.renew();
    await engine.renew();
    const search = cachedSearch(memoryAnswers(() => 0, { entries: 100 }));
    const variant = await original(home);
    const twin = (await home.twinOf({ service: SERVICE, variant, cycle: CYCLE })).variant;
    const loaded = new Map([
      [variant, await engine.load(variant)],
      [twin, await engine.load(twin)],
    ]);
    const ask = (id: string) => {
      const one = loaded.get(id);
      if (!one) throw new Error('it was loaded above');
      return search(SERVICE, id, one, { query: 'ships', k: 5, tenant: 'default', filter: {} });
    };
    const before = await ask(variant);
    expect(before.hits).toHaveLength(2);
    expect(await ask(variant)).toMatchObject({ cached: true });
    expect(await ask(twin)).toMatchObject({ cached: false, hits: before.hits });
    expect(await ask(twin)).toMatchObject({ cached: true });
  },
);

/** Forgeries: what differs from a twin of the champion in one thing. */
const FORGED: ReadonlyArray<readonly [string, (home: Home) => Promise<string>]> = [
  ['a twin of the challenger', async (home) => (await home.twinOf(twinOrder(home.challenger))).variant],
  [
    'other settings that call themselves a twin',
    async (home) => register(home, { ...(await contentOf(home, home.challenger)), twin: CYCLE }),
  ],
  [
    'one setting that is another',
    async (home) => {
      const content = await contentOf(home, home.champion);
      return register(home, { ...content, settings: { ...DEFAULT_SETTINGS, stopShare: 0.999 }, twin: CYCLE });
    },
  ],
  ['a field more', async (home) => register(home, { ...(await contentOf(home, home.champion)), twin: CYCLE, more: 1 })],
  [
    'a twin that is no name of a cycle but settings',
    async (home) => register(home, { ...(await contentOf(home, home.champion)), twin: { settings: {} } }),
  ],
  [
    'another row of the registry that points to the twin',
    async (home) => {
      const { variant: twin } = await home.twinOf(twinOrder(home.champion));
      const artifact = (await home.control.variant(twin))?.artifact;
      if (!artifact) throw new Error('it was registered above');
      const id = 'f'.repeat(64);
      await home.control.addVariant({ id, service: SERVICE, artifact, origin: 'twin', createdAt: at(NOW) });
      return id;
    },
  ],
  ['a row that says twin and leads nowhere', async (home) => leadsNowhere(home)],
];
const twinOrder = (variant: string) => ({ service: SERVICE, variant, cycle: CYCLE });
const leadsNowhere = async ({ control }: Home): Promise<string> => {
  const id = 'd'.repeat(64);
  const artifact = { uri: `artifact:sha256/${id}`, sha256: id };
  await control.addVariant({ id, service: SERVICE, artifact, origin: 'twin', createdAt: at(NOW) });
  return id;
};

/** A lane that a cycle holds without an approval that it needs: whatever asks the policy is refused. */
const scene = async (read: (artifacts: ArtifactStore) => Pick<ArtifactStore, 'getJson'> = (artifacts) => artifacts) => {
  const home = await canaryHome();
  const { control, champion, order } = home;
  const plan = testPlan({ environment: 'production' });
  const asked: AskedPolicy[] = [];
  const policy = {
    decide: (question: AskedPolicy) => {
      asked.push(question);
      return shippedPolicy.decide(question);
    },
  };
  const { shiftTraffic } = createControlActivities({
    ...{ control, policy, services: servicesOf(() => plan), people: async () => [], now: () => NOW },
    artifacts: read(home.artifacts),
  });
  await control.note({
    ...order('admitted'),
    cycle: CYCLE,
    kind: 'cycle admitted',
    body: { approval: { expiresMs: 1, quorum: 1 } },
  });
  const granted = await control.grant({ ...order('lane'), cycle: CYCLE });
  const { epoch = 0, promotion = 0 } = granted.state ?? {};
  const row = { ...order('shift'), actor: { kind: 'cycle', name: CYCLE }, cycle: CYCLE, token: { epoch, promotion } };
  const split = (...others: ReadonlyArray<readonly [variant: string, share: number]>): readonly Arm[] => [
    { variant: champion, share: 1 - others.reduce((sum, [, share]) => sum + share, 0) },
    ...others.map(([variant, share]) => ({ variant, share })),
  ];
  const shift = (arms: readonly Arm[], over: Partial<TrafficChange> = {}) => shiftTraffic({ ...row, arms, ...over });
  return { home, asked, shift, split };
};

test('a twin of the champion gets its share as the champion would: nobody is asked', async () => {
  const { home, asked, shift, split } = await scene();
  const { variant: twin } = await home.twinOf(twinOrder(home.champion));
  expect(await shift(split([twin, 0.1]))).toMatchObject({ outcome: 'done' });
  expect(asked).toEqual([]);
});

test.each(FORGED)('%s is no twin of the champion, and gets nothing', async (_, forge) => {
  const { home, asked, shift, split } = await scene();
  const forged = await forge(home);
  expect(await isTwin(home.deps, SERVICE, forged, home.champion)).toBe(false);
  expect(await shift(split([forged, 0.1]))).toMatchObject({ outcome: 'refused', because: 'policy' });
  expect(asked).toMatchObject([{ action: 'deploy' }]);
  expect((await home.control.state(SERVICE))?.arms).toEqual([{ variant: home.champion, share: 1 }]);
});

test('beside a twin the challenger is asked about all the same, and alone', async () => {
  const { home, asked, shift, split } = await scene();
  const { variant: twin } = await home.twinOf(twinOrder(home.champion));
  expect(await shift(split([home.challenger, 0.1], [twin, 0.1]))).toMatchObject({
    outcome: 'refused',
    because: 'policy',
  });
  expect(asked).toHaveLength(1);
  const [decision] = await home.control.ledger({ kind: 'decision' });
  expect(decision?.body).toMatchObject({ action: 'deploy', variant: home.challenger });
});

test('a twin that is to become champion is a promotion like any other', async () => {
  const { home, asked, shift } = await scene();
  const { variant: twin } = await home.twinOf(twinOrder(home.champion));
  const promoted = shift([{ variant: twin, share: 1 }], { champion: twin });
  expect(await promoted).toMatchObject({ outcome: 'refused', because: 'policy' });
  expect(asked).toMatchObject([{ action: 'promote' }]);
});

test('a twin of what was champion is none once another one is', async () => {
  const { home, shift, split } = await scene();
  const { variant: twin } = await home.twinOf(twinOrder(home.champion));
  expect(await isTwin(home.deps, SERVICE, twin, home.challenger)).toBe(false);
  expect(await isTwin(home.deps, 'others', twin, home.champion)).toBe(false);
  await home.control.setGold({ ...home.order('gold 2'), variant: home.challenger });
  await home.control.kill(home.order('kill'));
  await home.control.arm(home.order('arm again'));
  const granted = await home.control.grant({ ...home.order('lane 2'), cycle: CYCLE });
  const { epoch = 0, promotion = 0 } = granted.state ?? {};
  const arms = split([twin, 0.1]).map((arm, n) => (n === 0 ? { ...arm, variant: home.challenger } : arm));
  expect(await shift(arms, { token: { epoch, promotion } })).toMatchObject({ outcome: 'refused', because: 'policy' });
});

test('artifacts that cannot be read just now are asked for again, and nothing moves or is refused meanwhile', async () => {
  const { home, asked, shift, split } = await scene(() => ({
    getJson: async () => {
      throw new PawlError('Unavailable', 'the disk does not answer');
    },
  }));
  const { variant: twin } = await home.twinOf(twinOrder(home.champion));
  await expect(shift(split([twin, 0.1]))).rejects.toMatchObject({ type: 'Unavailable', nonRetryable: false });
  expect(asked).toEqual([]);
  expect((await home.control.state(SERVICE))?.arms).toEqual([{ variant: home.champion, share: 1 }]);
});
