import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { ApiKey } from '../../contracts/access.ts';
import { command } from '../command.ts';
import { withKeyring } from '../keys.ts';
import { bad, bold, dim, head, type Piece, relative, table, warn } from '../text.ts';

export const keyLs = command({
  name: 'key ls',
  about: 'list the API keys of the gateway, revoked ones too',
  options: [['--tenant <name>', 'of this tenant only']],
  examples: ['pawl key ls', 'pawl key ls --tenant acme --json'],
  input: z.object({ tenant: z.string().optional() }),
  run: async ({ tenant }, context) => {
    // Looking makes no store.
    const there = context.sharesStore || existsSync(context.paths.access);
    const keys = there ? await withKeyring(context, ({ list }) => list(tenant)) : [];
    if (keys.length === 0) {
      return { data: [], lines: ['There is no API key.'], next: [['Make one', 'pawl key create NAME --role reader']] };
    }
    const now = Date.now();
    return {
      data: keys,
      lines: table([
        head('key', 'name', 'tenant', 'role', 'last used', ''),
        ...keys.map((key): Piece[] => [
          key.id,
          bold(key.name),
          key.tenant,
          key.role,
          key.lastUsedAt === null ? dim('never') : `${key.lastUsedAt.slice(0, 10)}, ${key.lastUsedAt.slice(11, 13)} h`,
          stateOf(key, now),
        ]),
      ]),
    };
  },
});

const stateOf = ({ revokedAt, expiresAt, graceUntil }: ApiKey, now: number): Piece => {
  const ahead = (moment: string | null): moment is string => moment !== null && Date.parse(moment) > now;
  if (revokedAt !== null) return bad(`revoked ${relative(revokedAt, now)}`);
  if (expiresAt !== null && !ahead(expiresAt)) return bad(`expired ${relative(expiresAt, now)}`);
  if (ahead(graceUntil)) return warn(`its former secret holds until ${graceUntil}`);
  return expiresAt === null ? '' : dim(`until ${expiresAt}`);
};
