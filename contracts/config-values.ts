/** Values as a person writes them in `pawl.yaml`. */
import { z } from 'zod';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'a duration such as "90s", "15m" or "24h"')
  .transform((text) => Number.parseFloat(text) * UNITS[/[a-z]+$/.exec(text)?.[0] as keyof typeof UNITS]);

export const percentage = z
  .string()
  .regex(/^\d+(\.\d+)?%$/, 'a percentage such as "3%"')
  .transform((text) => Number.parseFloat(text) / 100);

/** A secret is named, never written down: pawl.yaml stands in Git, and its values in histories. */
export const secretReference = z.union(
  [z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }), z.strictObject({ file: z.string().min(1) })],
  { error: 'where the secret is: { env: NAME } or { file: PATH }' },
);
export type SecretReference = z.infer<typeof secretReference>;

/** `host:port`, as an address has it. */
export const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-f:]+\]|[a-z0-9.-]+):\d{1,5}$/, 'a host and its port such as "hooks.internal:8080"');
