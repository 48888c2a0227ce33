/** What every ControlStore is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import { holdsControlInvariants } from './control-store-properties.ts';
import { keepsControlRecords } from './control-store-records.ts';
import { best, better, cycle, first, sceneOn } from './control-store-scene.ts';

export const describeControlStore = (name: string, make: () => ControlStore, runs = 200): void => {
  describe(`control store: ${name}`, () => {
    let store: ControlStore;
    beforeEach(() => {
      store = make();
    });
    afterEach(() => store.close());
    const { order, addVariant, known, armed, lane, change } = sceneOn(() => store);

    test('a new service is disarmed and its champion serves everything', async () => {
      expect(await known()).toEqual({
        service: 'docs',
        latch: 'disarmed',
        because: expect.stringContaining('gold'),
        epoch: 0,
        promotion: 0,
        champion: first,
        gold: null,
        arms: [{ variant: first, share: 1 }],
      });
      expect(await store.services()).toEqual(['docs']);
      expect(await store.state('nowhere')).toBeNull();
    });

    test('registering again changes nothing, whatever the champion', async () => {
      await armed();
      const before = await store.state('docs');
      expect(await store.register({ ...order(), champion: best })).toEqual(before);
      expect(await store.state('docs')).toEqual(before);
    });

    test('a service cannot start with a variant that nobody registered, or with that of another service', async () => {
      await addVariant('d4', 'shop');
      await expect(store.register({ ...order(), champion: 'nope' })).rejects.toMatchObject({ type: 'NotFound' });
      await expect(store.register({ ...order(), champion: 'd4' })).rejects.toMatchObject({ type: 'NotFound' });
      expect(await store.services()).toEqual([]);
    });

    test('a change with the granted token moves the traffic, and names the champion only when told to', async () => {
      await armed();
      const token = await lane();
      const arms = [
        { variant: first, share: 0.9 },
        { variant: better, share: 0.1 },
      ];
      const split = await store.shift(change({ token, arms }));
      expect(split).toMatchObject({ outcome: 'done', state: { champion: first, arms } });
      const promoted = await store.shift(change({ token, champion: better }));
      expect(promoted).toMatchObject({ outcome: 'done', state: { champion: better, arms: [{ variant: better }] } });
      expect(await store.state('docs')).toEqual(promoted.state);
    });

    test('what is mirrored and interleaved comes back as it was told, in the answer, the state and the ledger', async () => {
      await armed();
      const token = await lane();
      const arms = [
        { variant: first, share: 0.9, interleave: true },
        { variant: better, share: 0.1, mirror: 0.25, interleave: true },
        { variant: best, share: 0, mirror: 1 },
      ] as const;
      const moved = change({ token, arms });
      expect(await store.shift(moved)).toMatchObject({ outcome: 'done', state: { arms } });
      expect((await store.shift(moved)).state?.arms).toEqual(arms);
      expect((await store.state('docs'))?.arms).toEqual(arms);
      const [row] = await store.ledger({ service: 'docs', kind: 'shift' });
      expect(row?.body.state).toMatchObject({ arms });
      expect(await store.kill(order())).toMatchObject({ state: { arms: [{ variant: first, share: 1 }] } });
      expect((await store.state('docs'))?.arms).toEqual([{ variant: first, share: 1 }]);
    });

    test('a new grant fences off the change that was granted before it', async () => {
      await armed();
      const old = await lane();
      const token = await lane();
      expect(token.promotion).toBe(old.promotion + 1);
      expect(await store.shift(change({ token: old }))).toMatchObject({
        outcome: 'refused',
        because: 'stale promotion',
      });
      expect(await store.shift(change({ token }))).toMatchObject({ outcome: 'done' });
    });

    test('a promotion number that was never granted is refused', async () => {
      await armed();
      const { epoch, promotion } = await lane();
      const ahead = await store.shift(change({ token: { epoch, promotion: promotion + 1 } }));
      expect(ahead).toMatchObject({ outcome: 'refused', because: 'stale promotion' });
    });

    test('a change that was decided before a kill is refused, even after the service was armed again', async () => {
      await armed();
      const token = await lane();
      await store.kill(order());
      expect(await store.shift(change({ token }))).toMatchObject({ outcome: 'refused', because: 'stale epoch' });
      await store.arm(order());
      expect(await store.shift(change({ token }))).toMatchObject({ outcome: 'refused', because: 'stale epoch' });
      expect((await store.state('docs'))?.arms).toEqual([{ variant: first, share: 1 }]);
    });

    test('under the latch nothing is granted and nothing moves, even with the newest numbers', async () => {
      await armed();
      await store.kill(order());
      const { epoch, promotion } = (await store.state('docs')) ?? { epoch: -1, promotion: -1 };
      expect(await store.grant({ ...order(), cycle })).toMatchObject({ outcome: 'refused', because: 'killed' });
      const moved = await store.shift(change({ token: { epoch, promotion } }));
      expect(moved).toMatchObject({ outcome: 'refused', because: 'killed' });
    });

    test('a service without gold grants nothing, moves nothing, and cannot be armed', async () => {
      await known();
      expect(await store.grant({ ...order(), cycle })).toMatchObject({ outcome: 'refused', because: 'disarmed' });
      expect(await store.shift(change({}))).toMatchObject({ outcome: 'refused', because: 'disarmed' });
      expect(await store.arm(order())).toMatchObject({ outcome: 'refused', because: 'no gold' });
    });

    test('a variant that is not registered for this service gets no traffic and cannot be gold', async () => {
      await armed();
      await addVariant('d4', 'shop');
      const token = await lane();
      for (const variant of ['nope', 'd4']) {
        const moved = await store.shift(change({ token, arms: [{ variant, share: 1 }] }));
        expect(moved).toMatchObject({ outcome: 'refused', because: 'unknown variant' });
        const gold = await store.setGold({ ...order(), variant });
        expect(gold).toMatchObject({ outcome: 'refused', because: 'unknown variant', state: { gold: first } });
      }
    });

    test('a service that nobody registered is refused in every kind of order', async () => {
      const unknown = { outcome: 'refused', because: 'unknown service', state: null };
      expect(await store.kill(order())).toEqual(unknown);
      expect(await store.arm(order())).toEqual(unknown);
      expect(await store.grant({ ...order(), cycle })).toEqual(unknown);
      expect(await store.setGold({ ...order(), variant: first })).toEqual(unknown);
      expect(await store.shift(change({}))).toEqual(unknown);
    });

    test.each([
      ['none at all', []],
      ['a sum under 1', [{ variant: first, share: 0.9 }]],
      [
        'a sum over 1',
        [
          { variant: first, share: 0.6 },
          { variant: better, share: 0.6 },
        ],
      ],
      [
        'a share over 1',
        [
          { variant: first, share: 1.5 },
          { variant: better, share: -0.5 },
        ],
      ],
      ['NaN', [{ variant: first, share: Number.NaN }]],
      ['a mirror over 1', [{ variant: first, share: 1, mirror: 1.5 }]],
      ['one that is interleaved with nobody', [{ variant: first, share: 1, interleave: true as const }]],
      ['infinity', [{ variant: first, share: Number.POSITIVE_INFINITY }]],
      [
        'one variant twice',
        [
          { variant: first, share: 0.5 },
          { variant: first, share: 0.5 },
        ],
      ],
    ])('shares that make no sense are an error of the caller and change nothing: %s', async (_, arms) => {
      await armed();
      const token = await lane();
      const before = await store.state('docs');
      await expect(store.shift(change({ token, arms }))).rejects.toMatchObject({ type: 'Usage' });
      expect(await store.state('docs')).toEqual(before);
    });

    test('a token that is no pair of whole numbers, or a champion without traffic, is an error of the caller', async () => {
      await armed();
      const token = await lane();
      for (const odd of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) {
        const promotion = change({ token: { ...token, promotion: odd } });
        await expect(store.shift(promotion)).rejects.toMatchObject({ type: 'Usage' });
      }
      await expect(store.shift(change({ token, champion: best }))).rejects.toMatchObject({ type: 'Usage' });
    });

    test('a kill raises the epoch and gold alone serves, as champion', async () => {
      await armed();
      const token = await lane();
      await store.shift(change({ token, champion: better }));
      expect(await store.kill(order({ reason: 'smoke' }))).toMatchObject({
        outcome: 'done',
        state: {
          latch: 'killed',
          because: 'smoke',
          epoch: token.epoch + 1,
          champion: first,
          arms: [{ variant: first, share: 1 }],
        },
      });
    });

    test('a kill without gold latches and leaves the champion where it is', async () => {
      await known();
      const state = { latch: 'killed', epoch: 1, champion: first, arms: [{ variant: first, share: 1 }] };
      expect(await store.kill(order())).toMatchObject({ outcome: 'done', state });
    });

    test('every further kill raises the epoch again', async () => {
      await armed();
      await store.kill(order());
      expect(await store.kill(order())).toMatchObject({ outcome: 'done', state: { epoch: 2 } });
    });

    test('gold that is named under the latch serves at once', async () => {
      await armed();
      await store.kill(order());
      const answer = await store.setGold({ ...order(), variant: best });
      expect(answer).toMatchObject({ state: { latch: 'killed', gold: best, arms: [{ variant: best, share: 1 }] } });
    });

    test('arming leaves the traffic where it is', async () => {
      await armed();
      const killed = await store.kill(order());
      const answer = await store.arm(order({ reason: 'looked at it' }));
      expect(answer.state).toEqual({ ...killed.state, latch: 'armed', because: 'looked at it' });
    });

    test('killing the fleet latches every service, and those that come later, until it is lifted', async () => {
      await armed();
      await addVariant('d4', 'shop');
      const { service: _, ...fleet } = order({ reason: 'fire' });
      expect(await store.killAll(fleet)).toEqual({ services: ['docs'] });
      expect(await store.fleetKilled()).toBe(true);
      expect(await store.state('docs')).toMatchObject({ latch: 'killed', epoch: 1 });
      const late = await store.register({ ...order({ service: 'shop' }), champion: 'd4' });
      expect(late).toMatchObject({ latch: 'killed', because: 'fire' });
      expect(await store.arm(order())).toMatchObject({ outcome: 'refused', because: 'killed' });

      const { service: __, ...lift } = order();
      expect(await store.liftAll(lift)).toEqual({ services: ['docs', 'shop'] });
      expect(await store.fleetKilled()).toBe(false);
      expect(await store.state('docs')).toMatchObject({ latch: 'killed' });
      expect(await store.arm(order())).toMatchObject({ outcome: 'done', state: { latch: 'armed' } });
    });

    keepsControlRecords(make);
    holdsControlInvariants(make, runs);
  });
};
