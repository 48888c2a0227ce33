import { z } from 'zod';
import { revokePerson } from '../../adapters/keys/people.ts';
import { command, REASON, reason } from '../command.ts';
import { notePerson } from '../people.ts';
import { bold, dim, good } from '../text.ts';

export const peopleRevoke = command({
  name: 'people revoke',
  about: "end that a person's signature counts, at once",
  details:
    'Works without Temporal and without the store. The entry stays in people.json, so that what the key signed before can still be checked; the name can be given to a new key.',
  arguments: [['<name>', 'as in people.json']],
  options: [REASON],
  examples: ['pawl people revoke grace --reason "laptop stolen"'],
  input: z.object({ name: z.string().min(1), reason }),
  run: async ({ name, reason }, context) => {
    const person = await revokePerson(context.home, name, reason, new Date().toISOString());
    const noted = await notePerson(context, 'person revoked', person, reason);
    return {
      data: { person, noted },
      lines: [
        [good('✓ '), bold(name), `, key ${person.kid}, is revoked: nothing that it signs is accepted from now on`],
        [
          dim('  Where people.json comes from Git, '),
          'commit and deploy it: another copy of the home knows nothing of this yet.',
        ],
      ],
      next: [['See everyone', 'pawl people ls']],
    };
  },
});
