/** What the audit commands share. */
import { z } from 'zod';
import { readPinnedKey } from '../adapters/ledger/pinned-key.ts';
import { type NoteKey, readVkey } from '../adapters/ledger/signed-note.ts';
import { duration } from '../contracts/config-values.ts';
import { PawlError } from '../contracts/failures.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type { Context } from './context.ts';
import { bold, head, type Line, table } from './text.ts';

/** `2026-11-21T12:00`, a date, `now`, or how long ago: `90m`. */
export const moment = z.string().transform((text, issues): string => {
  const ago = duration.safeParse(text).data;
  const ms = ago !== undefined ? Date.now() - ago : text === 'now' ? Date.now() : Date.parse(text);
  if (/^(now$|\d)/.test(text) && Number.isFinite(ms)) return new Date(ms).toISOString();
  issues.addIssue('expected a time such as 2026-11-21T12:00Z, or how long ago: 90m');
  return z.NEVER;
});

/** From --key, or the home's ledger.vkey. */
export const keyFrom = async (context: Context, file: string | undefined): Promise<NoteKey | null> => {
  const key = await readPinnedKey(file ?? context.paths.ledgerKey);
  if (key === null && file !== undefined) throw new PawlError('NotFound', `There is no ${file}`);
  return key;
};

/** The key that the store names itself: it proves nothing about who signed. */
export const ownKey = async (context: Context): Promise<NoteKey | null> =>
  readVkey((await context.control.ledgerKey()) ?? '');

export const rowTable = (rows: readonly LedgerRow[]): Line[] =>
  table([
    head('row', 'at', 'service', 'cycle', 'kind', 'who', 'what'),
    ...rows.map((row) => [
      row.seq,
      row.at,
      row.service,
      row.cycle,
      bold(row.kind),
      `${row.actor.kind} ${row.actor.name}`,
      said(row),
    ]),
  ]);

const said = ({ kind, reason, body }: LedgerRow): string => {
  if (kind === 'decision') return `${body.action}: ${body.allowed ? 'yes' : 'no'}; ${reason}`;
  return body.outcome === 'refused' ? `refused (${body.because}); ${reason}` : reason;
};
