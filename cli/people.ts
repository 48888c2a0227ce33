/** Changes of people.json, as they are told to the ledger. */

import type { Person } from '../adapters/keys/people.ts';
import { FLEET } from '../contracts/ids.ts';
import type { Context } from './context.ts';
import { asPawlError } from './failure.ts';
import { nameOfUser } from './operator.ts';
import { warn } from './text.ts';

/**
 * A row of the ledger about a person. The change itself stands in people.json already and works: a store that cannot be
 * reached is told, and stands in nobody's way.
 */
export const notePerson = async (
  context: Context,
  kind: 'person added' | 'person revoked',
  { name, roles, kid, publicKey }: Person,
  reason: string,
): Promise<boolean> => {
  try {
    await context.control.note({
      key: `people/${kind}/${kid}`,
      service: FLEET,
      cycle: null,
      kind,
      actor: { kind: 'person', name: nameOfUser() },
      reason,
      body: { name, roles, kid, publicKey },
    });
    return true;
  } catch (error) {
    context.out.note([warn('The ledger has no row of it'), `: ${asPawlError(error).message}`]);
    return false;
  }
};
