import { z } from 'zod';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import { pauseUpdate } from '../../contracts/messages.ts';
import { command, REASON, reason, SERVICE, serviceName } from '../command.ts';
import { nameOfUser } from '../operator.ts';
import { replyTo, tell } from '../send.ts';

export const pause = command({
  name: 'pause',
  about: 'admit no cycle and give no traffic lane until a signed resume',
  arguments: [SERVICE],
  options: [REASON],
  examples: ['pawl pause --reason "release day"', 'pawl pause docs --reason "release day" --json'],
  input: z.object({ service: serviceName, reason }),
  run: async ({ service: named, reason }, context) => {
    const service = await context.service(named);
    const message = { by: nameOfUser(), reason };
    const answer = await tell(context, 'waiting for the guardian', pauseUpdate, message, guardianStart(service));
    return replyTo(answer, service, [['Let it go on', `pawl resume ${service} --reason "…"`]]);
  },
});
