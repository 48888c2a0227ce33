/** How the ledger hashes: RFC 6962 with SHA-256, so that no leaf can pose as a node. */
import { hash } from 'node:crypto';
import type { LedgerRow } from '../../contracts/ledger.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Join } from '../../domain/merkle.ts';

export const EMPTY_ROOT = hash('sha256', '');

export type Unhashed = Omit<LedgerRow, 'hash'>;

/** The canonical JSON of a row's two fields that are JSON themselves. */
export interface RowTexts {
  readonly actor: string;
  readonly body: string;
}
export const textsOf = ({ actor, body }: Pick<LedgerRow, 'actor' | 'body'>): RowTexts => ({
  actor: canonicalJson(actor),
  body: canonicalJson(body),
});

/** The text that the hash of a row is over: the canonical JSON of all of it but the hash. */
export const leafOf = (row: Unhashed, { actor, body }: RowTexts = textsOf(row)): string => {
  const { at, cycle, kind, prev, reason, seq, service } = row;
  const [a, c, k, p, r, s] = [at, cycle, kind, prev, reason, service].map((text) => JSON.stringify(text));
  return `{"actor":${actor},"at":${a},"body":${body},"cycle":${c},"kind":${k},"prev":${p},"reason":${r},"seq":${seq},"service":${s}}`;
};

export const hashOfLeaf = (leaf: string): string => hash('sha256', `\0${leaf}`);

const node = Buffer.alloc(65, 1);
/** Synchronous, so the one buffer is enough. */
export const joined: Join = (left, right) => {
  if (node.write(left, 1, 'hex') + node.write(right, 33, 'hex') !== 64) throw new TypeError('A hash is 64 hex digits');
  return hash('sha256', node);
};
