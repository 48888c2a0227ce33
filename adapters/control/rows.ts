/** What the control store's rows and stored answers hold; checked when read, since other programs can write the file. */
import { z } from 'zod';
import type { LedgerRow, ServiceState } from '../../contracts/traffic.ts';
import { LATCHES, REFUSALS } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const arms = z.array(z.object({ variant: z.string(), share: z.number() }));

export const serviceState = z.object({
  service: z.string(),
  latch: z.enum(LATCHES),
  because: z.string(),
  epoch: z.int(),
  promotion: z.int(),
  champion: z.string().nullable(),
  gold: z.string().nullable(),
  arms,
}) satisfies z.ZodType<ServiceState>;

export const serviceRow = serviceState.extend({ arms: json(arms) });

export const stateAnswer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('done'), state: serviceState }),
  z.object({ outcome: z.literal('refused'), because: z.enum(REFUSALS), state: serviceState.nullable() }),
]);
export const servicesAnswer = z.object({ services: z.array(z.string()) });
export const nothing = z.null();

export const ledgerRow = z.object({
  seq: z.int(),
  at: z.string(),
  service: z.string(),
  cycle: z.string().nullable(),
  kind: z.string(),
  actor: json(z.object({ kind: z.string(), name: z.string() })),
  reason: z.string(),
  body: json(z.record(z.string(), z.unknown())),
}) satisfies z.ZodType<LedgerRow, unknown>;

export const variantRow = z
  .object({
    id: z.string(),
    service: z.string(),
    uri: z.string(),
    sha256: z.string(),
    origin: z.string(),
    created_at: z.string(),
  })
  .transform(
    ({ uri, sha256, created_at, ...row }): Variant => ({ ...row, artifact: { uri, sha256 }, createdAt: created_at }),
  );

const reading = z.object({ value: z.number(), n: z.number(), low: z.number(), high: z.number() });
export const vitals = json(
  z.object({
    service: z.string(),
    variant: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    readings: z.record(z.string(), reading.optional()),
  }) satisfies z.ZodType<Vitals>,
);
