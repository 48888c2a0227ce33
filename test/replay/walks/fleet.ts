import { killSwitchStart } from '../../../adapters/temporal/guardian.ts';
import { PawlError } from '../../../contracts/failures.ts';
import type { TriggerInput } from '../../../contracts/guardian.ts';
import { KILL_SWITCH_ID, triggerId } from '../../../contracts/ids.ts';
import { type Admission, killSignal, killUpdate, rearmUpdate } from '../../../contracts/messages.ts';
import { queues } from '../../../contracts/queues.ts';
import { brokenOn, fixesTo, fixSettings, promoteTo } from '../../support/fixes.ts';
import { runCycle } from '../../support/requests.ts';
import { challengerOf, championOf, type World } from '../../support/world.ts';
import type { PathOf } from '../paths.ts';
import { quiet, type Walk } from './walk.ts';

export const killSwitchWalks: Record<PathOf<'killSwitch'>, Walk> = {
  'killed-and-rearmed': async (world, service) => {
    await runCycle(world, service);
    const fleet = world.client.workflow.getHandle(KILL_SWITCH_ID);
    const reason = { by: 'ada', reason: 'all of it smells' };
    await world.client.workflow.executeUpdateWithStart(killUpdate, {
      args: [reason],
      startWorkflowOperation: killSwitchStart(),
    });
    await fleet.executeUpdate(rearmUpdate, { args: [{ token: 'made up' }] });
    const token = world.sign({ action: 'rearm', workflow: KILL_SWITCH_ID });
    await fleet.executeUpdate(rearmUpdate, { args: [{ token }] });
    await fleet.signal(killSignal, 'again' as never);
    await fleet.signal('no-such-message');
    return [await quiet(fleet)];
  },
};

const triggered = async (world: World, service: string, changes: Partial<TriggerInput> = {}) => {
  const handle = await world.client.workflow.start<(input: TriggerInput) => Promise<Admission>>('trigger', {
    workflowId: triggerId(service, '1'),
    taskQueue: queues.control,
    args: [{ service, trigger: 'schedule', reason: 'hourly look at the gates', ...changes }],
  });
  return { handle, admission: await handle.result() };
};

export const triggerWalks: Record<PathOf<'trigger'>, Walk> = {
  admitted: async (world, service) => {
    const { handle, admission } = await triggered(world, service);
    if (!admission.admitted) throw new Error(admission.because);
    await world.client.workflow.getHandle(admission.workflowId).result();
    return [handle];
  },
  refused: async (world) => [(await triggered(world, 'nobody')).handle],
  fixed: async (world, service) => {
    await promoteTo(world.control, service, challengerOf(service));
    world.fixes = fixesTo(world.control, { lookForBreach: brokenOn(challengerOf(service)) });
    const { handle, admission } = await triggered(world, service, { kind: 'fix' });
    if (!admission.admitted) throw new Error(admission.because);
    await world.client.workflow.getHandle(admission.workflowId).result();
    return [handle];
  },
  'fix-not-needed': async (world, service) => {
    world.fixes = fixesTo(world.control);
    return [(await triggered(world, service, { kind: 'fix' })).handle];
  },
  'fix-unseen': async (world, service) => {
    world.fixes = fixesTo(world.control, {
      lookForBreach: async () => {
        throw new PawlError('NoData', 'Nothing can be read.');
      },
    });
    return [(await triggered(world, service, { kind: 'fix' })).handle];
  },
  'fix-refused': async (world, service) => {
    world.fixes = fixesTo(world.control, {
      readFixSettings: async () => fixSettings({ perHour: 0 }),
      lookForBreach: brokenOn(championOf(service)),
    });
    return [(await triggered(world, service, { kind: 'fix' })).handle];
  },
};
