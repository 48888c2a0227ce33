/** One schedule, steered by hand. None of these loosens anything: the guardian still decides about each cycle. */
import type { ScheduleHandle } from '@temporalio/client';
import { z } from 'zod';
import { scheduleId } from '../../contracts/ids.ts';
import { command, OF_SERVICE, type PawlCommand, serviceName } from '../command.ts';
import { nameOfUser } from '../operator.ts';
import { bold, good } from '../text.ts';

const steering = (
  verb: string,
  about: string,
  done: string,
  steer: (handle: ScheduleHandle, reason: string) => Promise<void>,
): PawlCommand =>
  command({
    name: `schedule ${verb}`,
    about,
    arguments: [['<name>', 'name of the schedule, as in pawl.yaml']],
    options: [OF_SERVICE, ['--reason <text>', 'why; it stands in the Web UI']],
    examples: [`pawl schedule ${verb} nightly`],
    input: z.object({ name: z.string().min(1), service: serviceName, reason: z.string().max(1_000).optional() }),
    run: async ({ name, service: named, reason }, context) => {
      const service = await context.service(named);
      const said = `${reason ?? `${done} with pawl`} (${nameOfUser()})`;
      await context.ask('waiting for Temporal', (client) =>
        steer(client.schedule.getHandle(scheduleId(service, name)), said),
      );
      return {
        data: { service, name, done },
        lines: [[good('✓ '), bold(name), ` of ${service}: ${done}`]],
        next: verb === 'trigger' ? [['Its cycle', 'pawl cycle ls']] : [['See it', `pawl schedule ls ${service}`]],
      };
    },
  });

export const schedulePause = steering('pause', 'let a schedule start nothing for now', 'paused', (handle, reason) =>
  handle.pause(reason),
);
export const scheduleResume = steering(
  'resume',
  'let a paused schedule start cycles again',
  'resumed',
  (handle, reason) => handle.unpause(reason),
);
export const scheduleTrigger = steering('trigger', 'do now what a schedule does at its time', 'triggered', (handle) =>
  handle.trigger(),
);
