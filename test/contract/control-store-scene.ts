/** How the control store's suites set a scene: one service, three variants, orders with keys of their own. */
import type { ControlStore } from '../../adapters/control/port.ts';
import type { ServiceState, TrafficChange } from '../../contracts/traffic.ts';

export const person = { kind: 'person', name: 'ada' };
export const cycle = 'si_2026_11_21_001';
export const [first, better, best] = ['a1', 'b2', 'c3'] as const;

export const sceneOn = (store: () => ControlStore) => {
  let keys = 0;
  const order = (over: object = {}) => ({
    key: `key-${++keys}`,
    service: 'docs',
    actor: person,
    reason: 'because',
    ...over,
  });
  const addVariant = (id: string, service = 'docs') =>
    store().addVariant({
      id,
      service,
      artifact: { uri: `artifact:sha256/${id}`, sha256: id },
      origin: 'init',
      createdAt: '2026-11-21T00:00:00.000Z',
    });
  const known = async (): Promise<ServiceState> => {
    for (const id of [first, better, best]) await addVariant(id);
    return store().register({ ...order(), champion: first });
  };
  const armed = async (): Promise<void> => {
    await known();
    await store().setGold({ ...order(), variant: first });
    await store().arm(order());
  };
  const lane = async () => {
    const answer = await store().grant({ ...order(), cycle });
    return { epoch: answer.state?.epoch ?? -1, promotion: answer.state?.promotion ?? -1 };
  };
  const change = (over: Partial<TrafficChange>): TrafficChange => ({
    ...order(),
    cycle,
    token: { epoch: 0, promotion: 0 },
    arms: [{ variant: better, share: 1 }],
    ...over,
  });
  return { order, addVariant, known, armed, lane, change };
};
