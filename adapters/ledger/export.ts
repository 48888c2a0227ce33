/**
 * An exported ledger: a line of canonical JSON for each row, then one with the head and the key that signs heads. It can be
 * audited without the store, and without Pawl: docs/guide/audit.md says how.
 */
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { LedgerHead, LedgerRow } from '../../contracts/ledger.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { ControlStore } from '../control/port.ts';
import { type AuditedRow, type AuditReport, type KnownHead, LedgerAudit } from './audit.ts';
import { leafOf } from './hashing.ts';
import { type NoteKey, openCheckpoint } from './signed-note.ts';

const PAGE = 1_000;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'no SHA-256 in hex');

const exportedRow = z.strictObject({
  seq: z.int().positive(),
  at: z.string(),
  service: z.string(),
  cycle: z.string().nullable(),
  kind: z.string(),
  actor: z.strictObject({ kind: z.string(), name: z.string() }),
  reason: z.string(),
  body: z.record(z.string(), z.unknown()),
  prev: sha256,
  hash: sha256,
}) satisfies z.ZodType<LedgerRow>;

const head = z.object({ size: z.int().nonnegative(), root: sha256, checkpoint: z.string() });
const lastLine = z.strictObject({ head, key: z.string().nullable() });

/** Writes the rows of the head that the ledger has now; what comes later is not part of the file. */
export const exportLedger = async (
  control: Pick<ControlStore, 'storedRows' | 'ledgerKey'>,
  file: string,
  { force = false, progress }: { force?: boolean; progress?: (rows: number) => void } = {},
): Promise<LedgerHead> => {
  const out = await open(file, force ? 'w' : 'wx').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST')
      throw new PawlError('Unavailable', `${file} cannot be written: ${cause.message}`, { cause });
    throw new PawlError('Refused', `${file} is there already`, {
      hint: 'Name another file, or overwrite it with --force.',
    });
  });
  try {
    const { head } = await control.storedRows({ afterSeq: 0, limit: 0 });
    for (let written = 0, afterSeq = 0; written < head.size; ) {
      const { rows } = await control.storedRows({ afterSeq, limit: Math.min(PAGE, head.size - written) });
      if (rows.length === 0) break; // Cut off: the file's own audit says so.
      await out.appendFile(rows.map(lineOf).join(''));
      written += rows.length;
      afterSeq = rows.at(-1)?.seq ?? afterSeq;
      progress?.(written);
      await turn();
    }
    await out.appendFile(`${JSON.stringify({ head, key: await control.ledgerKey() })}\n`);
    return head;
  } finally {
    await out.close();
  }
};

const lineOf = ({ seq, row, problem }: Pick<AuditedRow, 'seq' | 'row' | 'problem'>): string => {
  if (row) return `${canonicalJson(row)}\n`;
  throw new PawlError('DigestMismatch', `Row ${seq} of the ledger is damaged: ${problem}`, {
    hint: '`pawl audit verify` says what is wrong with the ledger.',
  });
};

/** Audits an exported file, line by line. */
export const auditFile = async (
  file: string,
  { key, known = [], progress }: { key: NoteKey; known?: readonly KnownHead[]; progress?: (rows: number) => void },
): Promise<AuditReport> => {
  const { head } = await lastLineOf(file);
  const audit = new LedgerAudit({ key, known });
  audit.expect(head);
  let next = 1;
  let looked = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.startsWith('{"head"')) break;
    const row = rowIn(line, next);
    audit.add(row);
    next = Math.max(next, row.seq + 1);
    looked += 1;
    if (looked % PAGE === 0) progress?.(looked);
  }
  return audit.end();
};

const rowIn = (line: string, next: number): AuditedRow => {
  try {
    const row = exportedRow.parse(JSON.parse(line));
    const plain = canonicalJson(row) === line;
    return { seq: row.seq, row, leaf: leafOf(row), problem: plain ? null : 'it is not spelled as an export spells it' };
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const because = issue ? `${issue.path.join('.')}: ${issue.message}` : 'it is no JSON';
    return { seq: next, row: null, leaf: null, problem: `it cannot be read (${because})` };
  }
};

/** Longer than any line with a head. */
const TAIL = 4_096;

const lastLineOf = async (file: string): Promise<z.infer<typeof lastLine>> => {
  const from = await open(file).catch((cause: NodeJS.ErrnoException) => {
    throw new PawlError(cause.code === 'ENOENT' ? 'NotFound' : 'Unavailable', `${file}: ${cause.message}`, { cause });
  });
  try {
    const { size } = await from.stat();
    const bytes = Buffer.alloc(Math.min(TAIL, size));
    await from.read(bytes, 0, bytes.length, size - bytes.length);
    const line = bytes.toString('utf8').trimEnd().split('\n').at(-1) ?? '';
    return lastLine.parse(JSON.parse(line));
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${file} does not end with the head of a ledger`, {
      hint: 'It was cut off, or is no file that `pawl audit export` wrote.',
      cause,
    });
  } finally {
    await from.close();
  }
};

/** A head in a file that holds one: an export, a proof, or the answer of `pawl audit show --json`. */
export const headIn = async (file: string): Promise<KnownHead> => {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new PawlError(cause.code === 'ENOENT' ? 'NotFound' : 'Unavailable', `${file}: ${cause.message}`, { cause });
  });
  for (const part of [text, text.trimEnd().split('\n').at(-1) ?? '']) {
    const found = holder.safeParse(jsonIn(part)).data;
    const opened = openCheckpoint(found?.checkpoint ?? found?.head?.checkpoint ?? part);
    if (opened) return { size: opened.size, root: opened.root, from: file };
  }
  throw new PawlError('ConfigInvalid', `${file} holds no head of a ledger`, {
    hint: 'Give a file of `pawl audit export`, or the JSON of `pawl audit prove`.',
  });
};
const holder = z.object({ checkpoint: z.string().optional(), head: z.object({ checkpoint: z.string() }).optional() });

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null; // A checkpoint as it is.
  }
};
