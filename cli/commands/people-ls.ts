import { z } from 'zod';
import { readPeople } from '../../adapters/keys/people.ts';
import { type Place, placesOf } from '../../adapters/keys/signer.ts';
import { command } from '../command.ts';
import { keySources } from '../operator.ts';
import { bad, bold, dim, head, type Piece, table, warn } from '../text.ts';

export const peopleLs = command({
  name: 'people ls',
  about: 'list whose signature counts, as what, and whose key is here',
  examples: ['pawl people ls', 'pawl people ls --json'],
  input: z.object({}),
  run: async (_, context) => {
    const people = await readPeople(context.home);
    const places = await placesOf(keySources(context), people);
    const listed = people.map((person) => ({ ...person, place: saidOf(places.get(person.kid)) }));
    if (listed.length === 0) {
      return { data: [], lines: ['Nobody may sign yet.'], next: [['Make the first key', 'pawl init']] };
    }
    return {
      data: listed,
      lines: table([
        head('name', 'roles', 'key', 'private key', ''),
        ...listed.map(({ name, roles, kid, place, revoked }): Piece[] => [
          bold(name),
          roles.join(', '),
          kid,
          place?.isProtected === false
            ? warn(`${place.where}, without a passphrase`)
            : (place?.where ?? dim('elsewhere')),
          revoked ? bad(`revoked at ${revoked.at}: ${revoked.reason}`) : '',
        ]),
      ]),
      next: [['Add one', 'pawl people add NAME --role approver']],
    };
  },
});

const saidOf = (place: Place | undefined): { where: string; isProtected: boolean } | null => {
  if (!place) return null;
  return place.kind === 'agent'
    ? { where: `ssh-agent (${place.key.comment})`, isProtected: true }
    : { where: place.file.path, isProtected: place.file.isProtected };
};
