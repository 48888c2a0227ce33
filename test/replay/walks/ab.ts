import type { AbActivities, AbPlan } from '../../../contracts/ab.ts';
import {
  type AbQuestion,
  type AbStatus,
  abStatusQuery,
  lookSignal,
  promoteUpdate,
} from '../../../contracts/ab-messages.ts';
import { PawlError } from '../../../contracts/failures.ts';
import { abortUpdate, killSignal, pauseUpdate, rejectUpdate, resumeUpdate } from '../../../contracts/messages.ts';
import { type AbHandle, abTo, looking, type Subjects, startAb } from '../../support/ab.ts';
import { eventually } from '../../support/requests.ts';
import type { World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { chain, type Walk } from './walk.ts';

interface Way {
  readonly subjects?: Parameters<typeof looking>[1];
  readonly script?: Partial<AbActivities>;
  readonly plan?: Partial<AbPlan>;
  readonly historyLimit?: number;
  /** What is said to it meanwhile. */
  readonly say?: (handle: AbHandle, world: World) => Promise<unknown>;
}
const SHORT: Partial<AbPlan> = { ramp: [0.1, 0.5], minimumMs: 600 };

const walked =
  ({ subjects = {}, script = {}, plan, historyLimit, say = async () => undefined }: Way): Walk =>
  async (world, service) => {
    world.ab = abTo({ lookAtArms: looking(world.control, subjects), ...script });
    const handle = await startAb(world, service, {
      plan: { ...SHORT, ...plan },
      ...(historyLimit && { historyLimit }),
    });
    await say(handle, world);
    await handle.result().catch(() => undefined);
    return chain(world, handle);
  };

const better = (_: number, share: number): Partial<Subjects> => (share === 0.5 ? { challenger: 0.5 } : {});
const UNDECIDED: Partial<AbPlan> = { undecided: 'ask', maximumMs: 500 };

const until = (handle: AbHandle, is: (status: AbStatus) => boolean) =>
  eventually(() => handle.query(abStatusQuery), is);
const looked = (handle: AbHandle) => until(handle, (status) => status.looked > 0);
const asked = async (handle: AbHandle): Promise<AbQuestion> => {
  const { question } = await until(handle, ({ state }) => state === 'asking');
  if (!question) throw new Error('nothing is asked');
  return question;
};

export const abWalks: Record<PathOf<'abEvaluation'>, Walk> = {
  better: walked({ subjects: better }),
  kept: walked({ plan: { maximumMs: 600 } }),
  harm: walked({ subjects: { challenger: 0.3 } }),
  void: walked({ subjects: { lost: 0.5 } }),
  'asked-and-promoted': walked({
    plan: UNDECIDED,
    say: async (handle, world) => {
      const { step, variant, evidence } = await asked(handle);
      await handle.executeUpdate(promoteUpdate, { args: ['no token' as never] });
      const token = world.sign({ action: 'promote', workflow: handle.workflowId, step, variant, evidence });
      await handle.executeUpdate(promoteUpdate, { args: [{ token }] });
    },
  }),
  'asked-and-expired': walked({ plan: { ...UNDECIDED, holdMs: 300 } }),
  rejected: walked({
    plan: UNDECIDED,
    say: async (handle) => {
      await asked(handle);
      await handle.executeUpdate(rejectUpdate, { args: [{ by: 'ada', reason: 'no gain' }] });
    },
  }),
  aborted: walked({
    say: async (handle) => {
      await looked(handle);
      await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
    },
  }),
  killed: walked({
    say: async (handle) => {
      await looked(handle);
      await handle.signal(killSignal, { by: 'ada', reason: 'it burns' });
    },
  }),
  cancelled: walked({
    say: async (handle) => {
      await looked(handle);
      await handle.cancel();
    },
  }),
  'paused-and-resumed': walked({
    subjects: better,
    say: async (handle, world) => {
      await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'holidays' }] });
      await looked(handle);
      await handle.signal(lookSignal);
      const token = world.sign({ action: 'resume', workflow: handle.workflowId });
      await handle.executeUpdate(resumeUpdate, { args: [{ token }] });
    },
  }),
  'look-failed': walked({
    plan: { maximumMs: 500 },
    script: {
      lookAtArms: async () => {
        throw new PawlError('ConfigInvalid', 'the log is not readable');
      },
    },
  }),
  'continued-as-new': walked({ subjects: better, historyLimit: 35 }),
  refused: async (world, service) => {
    world.ab = abTo();
    const handle = await startAb(world, service, { trial: { token: { epoch: 9, promotion: 9 } } });
    await handle.result();
    return [handle];
  },
  failed: walked({
    script: {
      alphaOf: async () => {
        throw new PawlError('Refused', 'it is spent');
      },
    },
  }),
};
