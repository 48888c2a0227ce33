/** What every TrafficRouter is held to. */
import { describe, expect, test } from 'vitest';
import type { RouteAnswer, RouteOrder, TrafficRouter } from '../../adapters/router/port.ts';
import type { Arm, FencingToken } from '../../contracts/traffic.ts';

export const [champion, challenger] = ['a1', 'b2'];
export const split = (share: number): readonly Arm[] => [
  { variant: champion, share: 1 - share },
  { variant: challenger, share },
];

export interface RouterScene {
  readonly router: TrafficRouter;
  /** Makes a service known, armed; everything goes to the champion. */
  known(service: string): Promise<void>;
  /** The next promotion number, and the next epoch. */
  lane(service: string): Promise<FencingToken>;
  kill(service: string): Promise<FencingToken>;
  /** The change in the store, where the store lets it pass; then the router. */
  tell(order: RouteOrder): Promise<RouteAnswer>;
}

export const describeTrafficRouter = (name: string, make: () => Promise<RouterScene>): void => {
  describe(`traffic router: ${name}`, () => {
    let keys = 0;
    const order = (token: FencingToken, over: Partial<RouteOrder> = {}): RouteOrder => ({
      ...{ key: `key-${++keys}`, service: 'docs', token, arms: split(0.1), champion },
      ...over,
    });

    test('holds what it was told, mirrors and interleaving included, and says so when it is asked', async () => {
      const { router, known, lane, tell } = await make();
      await known('docs');
      const token = await lane('docs');
      const arms = [
        { variant: champion, share: 0.75, interleave: true },
        { variant: challenger, share: 0.25, mirror: 0.5, interleave: true },
      ] as const;
      expect(await tell(order(token, { arms }))).toEqual({ outcome: 'done', route: { token, arms, champion } });
      expect(await router.read('docs')).toEqual({ token, arms, champion });
      const whole = [{ variant: challenger, share: 1 }];
      await tell(order(token, { arms: whole, champion: challenger }));
      expect(await router.read('docs')).toEqual({ token, arms: whole, champion: challenger });
    });

    test('knows nothing of a service that it was never told of', async () => {
      const { router } = await make();
      expect(await router.read('nowhere')).toBeNull();
    });

    test('refuses a change that carries an older promotion number, says what it holds, and moves nothing', async () => {
      const { router, known, lane, tell } = await make();
      await known('docs');
      const old = await lane('docs');
      const token = await lane('docs');
      await tell(order(token));
      const route = { token, arms: split(0.1), champion };
      expect(await tell(order(old, { arms: split(0.9) }))).toEqual({ outcome: 'refused', because: 'stale', route });
      expect(await router.read('docs')).toEqual(route);
    });

    test('refuses whatever was granted before a kill, however high its promotion number', async () => {
      const { router, known, lane, kill, tell } = await make();
      await known('docs');
      await lane('docs');
      const old = await lane('docs');
      await tell(order(old));
      const token = await kill('docs');
      await tell(order(token, { arms: [{ variant: champion, share: 1 }] }));
      const late = await tell(order({ ...old, promotion: old.promotion + 5 }, { arms: split(0.5) }));
      expect(late).toMatchObject({ outcome: 'refused', because: 'stale', route: { token } });
      expect((await router.read('docs'))?.arms).toEqual([{ variant: champion, share: 1 }]);
    });

    test('answers a repeated change with what it holds by now, and does not go back to it', async () => {
      const { router, known, lane, tell } = await make();
      await known('docs');
      const token = await lane('docs');
      const first = order(token, { arms: split(0.1) });
      await tell(first);
      await tell(order(token, { arms: split(0.5) }));
      const repeated = await router.set(first);
      expect(repeated).toMatchObject({ outcome: 'done', route: { arms: split(0.5) } });
      expect((await router.read('docs'))?.arms).toEqual(split(0.5));
    });

    test('keeps services apart', async () => {
      const { router, known, lane, tell } = await make();
      await known('docs');
      await known('shop');
      await lane('shop');
      const late = await lane('shop');
      const token = await lane('docs');
      await tell(order(late, { service: 'shop', arms: split(0.5) }));
      expect(await tell(order(token))).toMatchObject({ outcome: 'done' });
      expect((await router.read('docs'))?.arms).toEqual(split(0.1));
      expect((await router.read('shop'))?.arms).toEqual(split(0.5));
    });
  });
};
