import { Context } from '@temporalio/activity';
import { PawlError } from '../../../contracts/failures.ts';
import type { LoraActivities, TrainedLeg, TrainLeg } from '../../../contracts/lora.ts';
import { checkpointNowUpdate, extendSignal, extendUpdate } from '../../../contracts/lora-messages.ts';
import { abortUpdate } from '../../../contracts/messages.ts';
import { type LoraHandle, legTo, loraTo, startLora } from '../../support/lora.ts';
import { door } from '../../support/requests.ts';
import { evidenceOf } from '../../support/stages.ts';
import type { PathOf } from '../paths.ts';
import { chain, type Walk } from './walk.ts';

type Changes = Parameters<typeof startLora>[2];

const walked =
  (script: Partial<LoraActivities> = {}, changes: Changes = {}): Walk =>
  async (world, service) => {
    world.lora = loraTo(script);
    const handle = await startLora(world, service, { id: 'lo_1', ...changes });
    await handle.result();
    return [handle];
  };

/** The first leg waits until it is told to stop; what is said meanwhile is the walk's own. */
const spoken =
  (say: (handle: LoraHandle) => Promise<unknown>): Walk =>
  async (world, service) => {
    const begun = door();
    let legs = 0;
    const trainLora = async ({ untilStep }: TrainLeg): Promise<TrainedLeg> => {
      if (++legs > 1) return legTo(untilStep);
      begun.open();
      const heart = setInterval(() => Context.current().heartbeat(), 50);
      await Context.current().cancelled.catch(() => undefined);
      clearInterval(heart);
      return legTo(4, { stopped: 'asked', metric: null });
    };
    world.lora = loraTo({ trainLora });
    const handle = await startLora(world, service, { id: 'lo_1' });
    await begun.opened;
    await say(handle);
    await handle.result();
    return [handle];
  };

export const loraWalks: Record<PathOf<'loraFineTune'>, Walk> = {
  trained: walked(),
  refused: async (world, service) => {
    world.plan = { ...world.plan, environment: 'production' };
    return walked()(world, service);
  },
  'no-data': walked({
    prepareLoraData: async () => {
      throw new PawlError('NoData', 'No example is left.');
    },
  }),
  'not-a-number': walked({
    trainLora: async () => legTo(13, { stopped: 'not a number', because: 'step 14: the loss is NaN' }),
  }),
  'no-gain': walked(
    { trainLora: async ({ untilStep }) => legTo(untilStep, { metric: { step: untilStep, ndcg: 0.4 } }) },
    { plan: { patience: 1 } },
  ),
  aborted: spoken((handle) => handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] })),
  cancelled: spoken((handle) => handle.cancel()),
  'checkpoint-and-extend': spoken(async (handle) => {
    await handle.executeUpdate(extendUpdate, { args: [{ steps: 10 }] });
    await handle.executeUpdate(extendUpdate, { args: [{ steps: 10_000 }] });
    await handle.signal(extendSignal, 'much' as never);
    await handle.executeUpdate(checkpointNowUpdate);
  }),
  resumed: async (world, service) => {
    const data = await loraTo().prepareLoraData({} as never);
    const from = { run: 'lo_0', data, checkpoint: evidenceOf('step 15'), step: 15 };
    return walked({}, { from })(world, service);
  },
  'continued-as-new': async (world, service) => {
    world.lora = loraTo();
    const handle = await startLora(world, service, { id: 'lo_1', plan: { steps: 50 }, historyLimit: 15 });
    await handle.result();
    return chain(world, handle);
  },
};
