import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import type { ServiceState, StateAnswer } from '../../contracts/traffic.ts';

const VARIANTS = ['v0', 'v1', 'v2'] as const;
const person = { kind: 'person', name: 'ada' };

type Move = (store: ControlStore, key: string) => Promise<unknown>;
const orderOf = (key: string) => ({ key, service: 'docs', actor: person, reason: 'why not' });

const variant = fc.constantFrom(...VARIANTS);
const arms = fc.tuple(variant, variant, fc.integer({ min: 0, max: 100 })).map(([a, b, percent]) =>
  a === b
    ? [{ variant: a, share: 1 }]
    : [
        { variant: a, share: percent / 100 },
        { variant: b, share: 1 - percent / 100 },
      ],
);

/** Half of the changes carry the newest token, so that many get through; the others carry any. */
const shift = fc
  .record({ arms, crown: fc.boolean(), stale: fc.option(fc.record({ epoch: fc.nat(3), promotion: fc.nat(5) })) })
  .map(
    ({ arms: wanted, crown, stale }): Move =>
      async (store, key) => {
        const state = await store.state('docs');
        const token = stale ?? { epoch: state?.epoch ?? 0, promotion: state?.promotion ?? 0 };
        const heir = wanted.find(({ share }) => share > 0)?.variant;
        const champion = crown && heir ? { champion: heir } : {};
        return store.shift({ ...orderOf(key), cycle: 'c', token, arms: wanted, ...champion });
      },
  );

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: shift },
  fc.constant<Move>((store, key) => store.grant({ ...orderOf(key), cycle: 'c' })),
  fc.constant<Move>((store, key) => store.kill(orderOf(key))),
  fc.constant<Move>((store, key) => store.arm(orderOf(key))),
  variant.map(
    (gold): Move =>
      (store, key) =>
        store.setGold({ ...orderOf(key), variant: gold }),
  ),
  fc.constant<Move>((store, key) => store.killAll({ key, actor: person, reason: 'fire' })),
  fc.constant<Move>((store, key) => store.liftAll({ key, actor: person, reason: 'out' })),
);

const check = (before: ServiceState, after: ServiceState): void => {
  expect(after.epoch).toBeGreaterThanOrEqual(before.epoch);
  expect(after.promotion).toBeGreaterThanOrEqual(before.promotion);
  expect(VARIANTS).toContain(after.champion);
  expect(after.arms.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  if (after.latch === 'armed') expect(after.gold).not.toBeNull();
  if (after.latch === 'killed' && after.gold !== null) {
    expect(after.arms).toEqual([{ variant: after.gold, share: 1 }]);
    expect(after.champion).toBe(after.gold);
  }
  const traffic = ({ arms: split, champion }: ServiceState) => ({ split, champion });
  if (before.latch === 'disarmed' && after.latch === 'disarmed') expect(traffic(after)).toEqual(traffic(before));
};

const playedOut = async (store: ControlStore, moves: readonly Move[]): Promise<void> => {
  for (const id of VARIANTS) {
    const artifact = { uri: `artifact:sha256/${id}`, sha256: id };
    await store.addVariant({ id, service: 'docs', artifact, origin: 'init', createdAt: '2026-11-21T00:00:00.000Z' });
  }
  let before = await store.register({ ...orderOf('register'), champion: 'v0' });
  const firstAnswers: unknown[] = [];
  for (const [at, one] of moves.entries()) {
    firstAnswers.push(await one(store, `move-${at}`));
    const after = await store.state('docs');
    if (!after) throw new Error('the service is gone');
    check(before, after);
    before = after;
  }
  const rows = await store.ledger({});
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => at + 1));
  const settled = rows.filter(({ service, body }) => service === 'docs' && body.outcome === 'done');
  expect(settled.at(-1)?.body.state).toEqual(before);
  const refusals = firstAnswers.filter((answer) => (answer as Partial<StateAnswer>).outcome === 'refused');
  expect(rows.filter(({ body }) => body.outcome === 'refused')).toHaveLength(refusals.length);
};

/** `runs`: fewer where each change goes to a server. */
export const holdsControlInvariants = (make: () => ControlStore, runs: number): void =>
  test('whatever is ordered in whatever order, the invariants of traffic hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 25 }), async (moves) => {
        const store = make();
        try {
          await playedOut(store, moves);
        } finally {
          store.close();
        }
      }),
      { numRuns: runs },
    );
  });
