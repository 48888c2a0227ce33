/** What the control store's rows and stored answers hold; checked when read, since other programs can write the file. */
import { z } from 'zod';
import type { LedgerRow } from '../../contracts/ledger.ts';
import { MODEL_KINDS, type RegisteredModel } from '../../contracts/model.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import { LATCHES, REFUSALS } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import { leafOf, textsOf } from '../ledger/hashing.ts';
import type { GivenAnswer } from './answers.ts';
import type { ChainHead } from './chain.ts';
import type { StoredRow } from './port.ts';

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

const arms = z.array(
  z.object({
    variant: z.string(),
    share: z.number(),
    mirror: z.number().exactOptional(),
    interleave: z.literal(true).exactOptional(),
  }),
);

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
  z.object({
    outcome: z.literal('refused'),
    because: z.enum(REFUSALS),
    why: z.string().exactOptional(),
    state: serviceState.nullable(),
  }),
]);
export const answerRow = z.object({
  asked: z.string(),
  answer: z.string(),
  at: z.string(),
}) satisfies z.ZodType<GivenAnswer>;
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
  prev: z.string(),
  hash: z.string(),
}) satisfies z.ZodType<LedgerRow, unknown>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'no SHA-256 in hex');
const auditedRow = ledgerRow.extend({ prev: sha256, hash: sha256 });

/** A row as an audit looks at it: one that somebody damaged is told, not thrown. */
export const storedRow = (stored: Record<string, unknown>): StoredRow => {
  const seq = Number(stored.seq);
  try {
    const row = auditedRow.parse(stored);
    const texts = textsOf(row);
    // Otherwise one text could mean two things to two readers, such as a key that stands there twice.
    const odd = (['actor', 'body'] as const).find((name) => stored[name] !== texts[name]);
    const problem = odd ? `its ${odd} is not spelled as the store spells it` : null;
    return { seq, row, leaf: leafOf(row, texts), problem };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const because = issue ? `${issue.path.join('.')}: ${issue.message}` : String(error);
    return { seq, row: null, leaf: null, problem: `it cannot be read (${because})` };
  }
};

export const headRow = z
  .object({
    origin: z.string(),
    size: z.int(),
    seq: z.int(),
    last: sha256,
    peaks: z.string().regex(/^([0-9a-f]{64})*$/),
    vkey: z.string(),
    checkpoint: z.string(),
  })
  .transform(({ peaks, ...row }): ChainHead => ({ ...row, peaks: peaks.match(/.{64}/g) ?? [] }));

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

export const modelRow = z
  .object({
    id: z.string(),
    kind: z.enum(MODEL_KINDS),
    name: z.string(),
    service: z.string().nullable(),
    base: z.string(),
    uri: z.string(),
    sha256: z.string(),
    created_at: z.string(),
  })
  .transform(
    ({ uri, sha256, created_at, ...row }): RegisteredModel => ({
      ...row,
      card: { uri, sha256 },
      createdAt: created_at,
    }),
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
