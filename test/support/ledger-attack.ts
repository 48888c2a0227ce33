/** What somebody can do to a ledger who can write its file, but does not have its key. */
import { generateKeyPairSync } from 'node:crypto';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { EMPTY_ROOT, hashOfLeaf, joined, leafOf } from '../../adapters/ledger/hashing.ts';
import { signedCheckpoint, vkeyOf } from '../../adapters/ledger/signed-note.ts';
import { type LedgerRow, NO_ROW } from '../../contracts/ledger.ts';
import { grown, rootOf } from '../../domain/merkle.ts';

export interface Attack {
  run(sql: string, ...values: SQLInputValue[]): void;
  row(seq: number): LedgerRow;
  /** Overwrites the row with this one, hash and all as given. */
  put(row: LedgerRow): void;
  /** The row with the hash that its content then has. */
  hashed(row: LedgerRow): LedgerRow;
  /** Makes chain, tree and head anew from the rows that are there; the checkpoint stays unless a key is brought. */
  rebuild(signing: 'keeping the checkpoint' | 'with a key of their own'): void;
}

const read = (row: Record<string, unknown>): LedgerRow =>
  ({ ...row, actor: JSON.parse(String(row.actor)), body: JSON.parse(String(row.body)) }) as LedgerRow;

/** The triggers that keep the table append-only go first: they keep honest programs from mistakes, nobody else. */
export const attack = (path: string, deed: (on: Attack) => void): void => {
  const db = new DatabaseSync(path);
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) {
    db.exec(`DROP TRIGGER ${String(name)}`);
  }
  const run: Attack['run'] = (sql, ...values) => void db.prepare(sql).run(...values);
  const put: Attack['put'] = ({ seq, at, service, cycle, kind, actor, reason, body, prev, hash }) =>
    run(
      'INSERT OR REPLACE INTO ledger (seq, at, service, cycle, kind, actor, reason, body, prev, hash) VALUES (?,?,?,?,?,?,?,?,?,?)',
      ...[seq, at, service, cycle, kind, JSON.stringify(actor), reason, JSON.stringify(body), prev, hash],
    );
  const hashed: Attack['hashed'] = (row) => ({ ...row, hash: hashOfLeaf(leafOf(row)) });
  deed({
    run,
    put,
    hashed,
    row: (seq) => read(db.prepare('SELECT * FROM ledger WHERE seq = ?').get(seq) ?? {}),
    rebuild: (signing) => {
      let [prev, peaks, size, seq]: [string, readonly string[], number, number] = [NO_ROW, [], 0, 0];
      for (const row of db.prepare('SELECT * FROM ledger ORDER BY seq').all().map(read)) {
        const chained = hashed({ ...row, prev });
        put(chained);
        peaks = grown(peaks, size, chained.hash, joined);
        [prev, size, seq] = [chained.hash, size + 1, row.seq];
      }
      const root = rootOf(peaks, joined, EMPTY_ROOT);
      run(
        'UPDATE ledger_head SET size = ?, seq = ?, last = ?, root = ?, peaks = ?',
        size,
        seq,
        prev,
        root,
        peaks.join(''),
      );
      if (signing === 'keeping the checkpoint') return;
      const { privateKey } = generateKeyPairSync('ed25519');
      const origin = String(db.prepare('SELECT origin FROM ledger_head').get()?.origin);
      const vkey = vkeyOf(origin, privateKey);
      const checkpoint = signedCheckpoint({ origin, size, root }, { privateKey, vkey });
      run('UPDATE ledger_head SET vkey = ?, checkpoint = ?', vkey, checkpoint);
    },
  });
  db.close();
};
