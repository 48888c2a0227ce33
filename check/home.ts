/**
 * Reads a home without disturbing it: connections that cannot write, and one snapshot of each file.
 *
 * The log of served requests is read first. Whatever it tells of was decided before it was served, so the ledger, read
 * after it, knows of it; the other way round a change in between would look like an answer without a share.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { Artifacts, Evidence, Head, LedgerRow, Person, Registered, Served, ServiceState } from './evidence.ts';

export const readEvidence = (home: string): Evidence => {
  const state = join(home, '.pawl');
  const served = snapshot(join(state, 'metrics.db'), readServed) ?? [];
  const control = snapshot(join(state, 'control.db'), readControl) ?? NOTHING;
  return {
    ...control,
    served,
    ledgerKey: textIn(join(home, 'ledger.vkey')),
    people: peopleIn(join(home, 'people.json')),
    artifacts: artifactsIn(join(state, 'artifacts')),
  };
};

type Row = Readonly<Record<string, SQLOutputValue>>;
type Ask = (sql: string) => Row[];

const NOTHING = { ledger: [], services: [], variants: [], head: null };

/** A log of an older version has fewer columns. */
const readServed = (ask: Ask): Served[] => {
  const present = new Set(ask("SELECT name FROM pragma_table_info('queries')").map(({ name }) => name));
  const later = ['mirrored', 'teams'].map((name) => (present.has(name) ? name : `NULL AS ${name}`));
  const columns = ['at', 'service', 'variant', 'latency_ms AS latencyMs', 'error', ...later];
  return ask(`SELECT ${columns.join(', ')} FROM queries ORDER BY at`).map(
    ({ mirrored, teams, ...row }) =>
      ({
        ...row,
        mirrored: mirrored === 1,
        teams: Object.keys(JSON.parse(String(teams ?? '{}'))),
      }) as unknown as Served,
  );
};

const readControl = (ask: Ask): Pick<Evidence, 'ledger' | 'services' | 'variants' | 'head'> => ({
  ledger: ask('SELECT * FROM ledger ORDER BY seq').map(
    ({ actor, body, ...row }) =>
      ({ ...row, actor: parsed(actor, row, 'actor'), body: parsed(body, row, 'body') }) as unknown as LedgerRow,
  ),
  services: ask('SELECT * FROM services').map(
    ({ arms, ...row }) => ({ ...row, arms: parsed(arms, row, 'arms') }) as unknown as ServiceState,
  ),
  variants: ask('SELECT id, service, origin, sha256 FROM variants') as unknown as Registered[],
  head: headIn(ask),
});

const headIn = (ask: Ask): Head | null => {
  if (ask("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'ledger_head'").length === 0) return null;
  const [head] = ask('SELECT * FROM ledger_head') as unknown as Head[];
  return head ?? null;
};

/** Everything that one look at the file asks for is of the same moment. */
const snapshot = <T>(path: string, read: (ask: Ask) => T): T | null => {
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    db.exec('BEGIN');
    // Spread, because SQLite's rows have no prototype and compare as different from what they hold.
    return read((sql) =>
      db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })),
    );
  } finally {
    db.close();
  }
};

const parsed = (text: SQLOutputValue | undefined, { seq, service }: Row, column: string): unknown => {
  try {
    return JSON.parse(String(text));
  } catch {
    throw new Error(`${column} of ${seq === undefined ? service : `row ${seq}`} in control.db is not JSON`);
  }
};

const textIn = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8') : null);

const peopleIn = (path: string): Person[] | null => {
  const text = textIn(path);
  if (text === null) return null;
  const { people } = JSON.parse(text) as { people: ReadonlyArray<Record<string, unknown>> };
  return people.map(({ name, role, roles, kid, publicKey, revoked }) => ({
    name: String(name),
    kid: String(kid),
    publicKey: String(publicKey),
    // A file from before people had several roles names one.
    roles: ((roles ?? [role]) as unknown[]).map(String),
    revoked: revoked === undefined ? null : String((revoked as { at: unknown }).at),
  }));
};

const DIGEST = /^[0-9a-f]{64}$/;

const artifactsIn = (folder: string): Artifacts | null => {
  if (!existsSync(folder)) return null;
  return {
    read: (sha256) => {
      const path = join(folder, 'sha256', sha256.slice(0, 2), sha256);
      return DIGEST.test(sha256) && existsSync(path) ? readFileSync(path) : null;
    },
  };
};
