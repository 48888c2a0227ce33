import { PawlError } from '../../../contracts/failures.ts';
import { abortUpdate, killUpdate } from '../../../contracts/messages.ts';
import type { RemediationPlan } from '../../../contracts/remediation.ts';
import type { GateFinding } from '../../../contracts/vitals.ts';
import {
  addVariant,
  brokenOn,
  type FixActivities,
  type FixHandle,
  fixesTo,
  fixSettings,
  found,
  promoteTo,
  startFix,
} from '../../support/fixes.ts';
import { door, eventually, guardianOf } from '../../support/requests.ts';
import { challengerOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import type { Walk } from './walk.ts';

interface Scene {
  readonly world: World;
  readonly service: string;
  readonly handle: FixHandle;
}
const hooks: RemediationPlan['hooks'] = { restart: { url: 'https://owner.example/restart', timeoutMs: 1_000 } };
const ada = { kind: 'person', name: 'ada' };

interface Course {
  readonly look?: (service: string, second: string) => FixActivities['lookForBreach'];
  readonly script?: Partial<FixActivities>;
  readonly request?: Parameters<typeof startFix>[2];
  readonly plan?: Partial<RemediationPlan>;
  readonly before?: (world: World, service: string) => Promise<unknown>;
  /** What is said while it runs. */
  readonly say?: (scene: Scene) => Promise<unknown>;
}

/** Gold, a first and a second champion, of which the second is broken. */
const walked =
  ({ look = onSecond, script = {}, request = {}, plan = {}, before, say }: Course = {}): Walk =>
  async (world, service) => {
    const second = await addVariant(world.control, service, 'second');
    await promoteTo(world.control, service, challengerOf(service));
    await promoteTo(world.control, service, second);
    await before?.(world, service);
    const readFixSettings = async () => fixSettings(plan);
    world.fixes = fixesTo(world.control, { readFixSettings, lookForBreach: look(service, second), ...script });
    const { handle } = await startFix(world, service, request);
    await say?.({ world, service, handle });
    await handle.result();
    return [handle];
  };
const onSecond = (_: string, second: string) => brokenOn(second);
const always = () => seeing(() => 'breach');
const seeing =
  (state: (champion: string | null) => GateFinding['state']): FixActivities['lookForBreach'] =>
  async ({ champion = null }) => ({ champion, findings: [found(state(champion))] });

/** Once it has gone back to the previous champion, and looks on. */
const whileItLooks = (say: (scene: Scene) => Promise<unknown>): Walk =>
  walked({
    look: always,
    plan: { settleMs: 600_000, lookMs: 200 },
    say: async (scene) => {
      await eventually(
        () => scene.world.control.state(scene.service),
        (state) => state?.champion === challengerOf(scene.service),
      );
      await say(scene);
    },
  });

export const remediationWalks: Record<PathOf<'remediation'>, Walk> = {
  remedied: walked(),
  'remedied-by-gold': walked({ look: (service, second) => brokenOn(second, challengerOf(service)) }),
  restarted: async (world, service) => {
    let restarted = false;
    const callRemedy = async () => {
      restarted = true;
      return { ok: true, because: 'done' };
    };
    const look = () => seeing(() => (restarted ? 'pass' : 'breach'));
    return walked({ look, script: { callRemedy }, plan: { remedies: { errors: ['restart'] }, hooks } })(world, service);
  },
  'hook-refused': walked({
    look: always,
    script: { callRemedy: async () => ({ ok: false, because: 'it said no' }) },
    plan: { remedies: { errors: ['restart'] }, hooks },
  }),
  undone: walked({ request: { requestedBy: ada, only: 'previous', findings: [] } }),
  'not-needed': walked({ look: () => brokenOn() }),
  asked: walked({
    before: (world, service) =>
      world.control.arm({ service, actor: ada, reason: 'I looked at it', key: `${service}/again` }),
  }),
  unseen: walked({ look: (_, second) => seeing((champion) => (champion === second ? 'breach' : 'no data')) }),
  'look-failed': walked({
    look: () => async () => {
      throw new PawlError('NoData', 'Nothing can be read.');
    },
  }),
  failed: walked({ look: always }),
  overtaken: async (world, service) => {
    const held = door();
    const look = (_: string, second: string): FixActivities['lookForBreach'] => {
      return async (order) => held.opened.then(() => brokenOn(second)(order));
    };
    const say = async () => {
      await promoteTo(world.control, service, await addVariant(world.control, service, 'second'));
      held.open();
    };
    return walked({ look, say })(world, service);
  },
  aborted: whileItLooks(async ({ handle }) => {
    await handle.signal('no-such-message');
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'I see to it' }] });
  }),
  killed: whileItLooks(({ world, service }) =>
    guardianOf(world, service).executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] }),
  ),
  cancelled: whileItLooks(({ handle }) => handle.cancel()),
};
