import { undoUpdate } from '../../../contracts/canary-messages.ts';
import { abortUpdate } from '../../../contracts/messages.ts';
import { analysisOf, canaryTo, measured } from '../../support/canary.ts';
import { fixesTo, promoteTo, startFix } from '../../support/fixes.ts';
import { door, eventually } from '../../support/requests.ts';
import { startWatch, type WatchHandle, watchStatus } from '../../support/watches.ts';
import { championOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { chain, type Walk } from './walk.ts';

interface Scene {
  readonly world: World;
  readonly service: string;
  readonly handle: WatchHandle;
}
type Changes = Parameters<typeof startWatch>[2];

const measuring = (world: World, result: number | null): void => {
  world.canary = canaryTo(world.control, { measureCanary: measured(result) });
};

/** Once it has looked; what is said then is the walk's own. */
const walked =
  (say: (scene: Scene) => Promise<unknown>, changes: Changes = {}): Walk =>
  async (world, service) => {
    world.fixes = fixesTo(world.control);
    measuring(world, 0.01);
    const handle = await startWatch(world, service, changes);
    await eventually(
      () => watchStatus(handle),
      ({ looks }) => looks > 0,
    );
    await say({ world, service, handle });
    await handle.result();
    return [handle];
  };

const rearmed = ({ world, service }: Scene) => {
  const actor = { kind: 'person', name: 'ada' };
  return world.control.arm({ service, actor, reason: 'I looked at it', key: `${service}/again` });
};
const nothing = async () => undefined;
const goesBack = (handle: WatchHandle) =>
  eventually(
    () => watchStatus(handle),
    ({ back }) => back !== null,
  );

export const watchWalks: Record<PathOf<'promotionWatch'>, Walk> = {
  passed: walked(nothing, { forMs: 1_500 }),
  inconclusive: walked(async ({ world }) => measuring(world, null), { forMs: 4_000, analysis: analysisOf() }),
  'rolled-back': walked(async ({ world }) => measuring(world, 0.5)),
  asked: walked(async (scene) => {
    await rearmed(scene);
    measuring(scene.world, 0.5);
  }),
  superseded: walked(({ world, service }) => promoteTo(world.control, service, championOf(service))),
  killed: walked(({ world, service }) =>
    world.control.kill({
      service,
      actor: { kind: 'person', name: 'ada' },
      reason: 'it smells',
      key: `${service}/kill`,
    }),
  ),
  aborted: walked(async ({ handle }) => {
    await handle.signal('no-such-message');
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'seen enough' }] });
  }),
  cancelled: walked(({ handle }) => handle.cancel()),
  undone: walked(({ handle }) => handle.executeUpdate(undoUpdate, { args: [{ by: 'ada', reason: 'users complain' }] })),
  'lane-waited-for': walked(async ({ world, service, handle }) => {
    const held = door();
    const { readFixFacts } = fixesTo(world.control);
    world.fixes = fixesTo(world.control, {
      readFixFacts: async (order) => held.opened.then(() => readFixFacts(order)),
    });
    const other = await startFix(world, service, { only: 'restart', findings: [] });
    measuring(world, 0.5);
    await goesBack(handle);
    held.open();
    await other.handle.result();
  }),
  'continued-as-new': async (world, service) => {
    world.fixes = fixesTo(world.control);
    measuring(world, 0.01);
    const handle = await startWatch(world, service, { forMs: 6_000, historyLimit: 40 });
    await handle.result();
    return chain(world, handle);
  },
};
