/** What the rows of the keys' table hold, and what may become of one. */
import { z } from 'zod';
import { type ApiKey, KEY_ROLES } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    tenant: z.string(),
    role: z.enum(KEY_ROLES),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    rotated_at: z.string().nullable(),
    grace_until: z.string().nullable(),
    revoked_at: z.string().nullable(),
  })
  .transform(
    ({ id, name, tenant, role, ...at }): ApiKey => ({
      id,
      name,
      tenant,
      role,
      createdAt: at.created_at,
      expiresAt: at.expires_at,
      lastUsedAt: at.last_used_at,
      rotatedAt: at.rotated_at,
      graceUntil: at.grace_until,
      revokedAt: at.revoked_at,
    }),
  );
export const keyOf = (found: unknown): ApiKey => row.parse(found);

export const unknownKey = (id: string): PawlError =>
  new PawlError('NotFound', `There is no API key ${id}`, { hint: '`pawl key ls` lists them.' });

export const mayRotate = ({ id, revokedAt, expiresAt }: ApiKey, at: string): void => {
  const because = revokedAt !== null ? 'revoked' : expiresAt !== null && expiresAt <= at ? 'expired' : null;
  if (because === null) return;
  throw new PawlError('Refused', `The API key ${id} is ${because}`, { hint: 'Make a new one: `pawl key create`.' });
};
