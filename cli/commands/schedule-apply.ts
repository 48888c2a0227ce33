import { z } from 'zod';
import { applySchedules } from '../../schedules/apply.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import { bold, table } from '../text.ts';

export const scheduleApply = command({
  name: 'schedule apply',
  about: 'make the schedules in Temporal what pawl.yaml declares',
  details:
    'Safe to repeat. Schedules of this service that are no longer declared are deleted; whether an existing one is paused stays as it is.',
  arguments: [SERVICE],
  examples: ['pawl schedule apply', 'pawl schedule apply docs --json'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const service = await context.service(named);
    const config = await context.config(service);
    const applied = await context.ask('applying the schedules', (client) => applySchedules(client, config));
    return {
      data: applied,
      lines:
        applied.length === 0
          ? ['No schedules are declared, and none were there.']
          : table(applied.map(({ name, change }) => [bold(name), change])),
      next: [['See them', `pawl schedule ls ${service}`]],
    };
  },
});
