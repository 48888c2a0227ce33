import pg from 'pg';
import type { LedgerKey } from '../keys/ledger-key.ts';
import { vkeyOf } from '../ledger/signed-note.ts';
import { postgresAddress } from '../postgres/address.ts';
import { storeFailure } from '../postgres/store-failure.ts';

export interface PostgresLook {
  readonly place: string;
  readonly server: string;
  /** null: no Pawl has opened it yet. */
  readonly version: number | null;
  /** Otherwise a power cut may take what was acknowledged. */
  readonly keepsWrites: boolean;
  /** Whether this home holds the key that signs the ledger, so that what it writes is signed. */
  readonly hasKey: boolean;
  /** Files of secrets that this home holds otherwise than those it shares the store with. */
  readonly strange: readonly string[];
}

/** Of this home's secrets; null where it has none yet. */
export interface Marks {
  readonly access: string | null;
  readonly subjects: string | null;
}

/** What `pawl doctor` wants to know. Looking changes nothing: no schema is made or brought forward. */
export const lookAtPostgres = async (
  address: string,
  key: LedgerKey,
  marks: Marks,
  waitMs: number,
): Promise<PostgresLook> => {
  const { url, schema, place } = postgresAddress(address);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: waitMs, query_timeout: waitMs });
  client.on('error', () => undefined); // Whoever asks next is told.
  try {
    await client.connect();
    const ask = async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>> =>
      (await client.query<Record<string, unknown>>(text, [...values])).rows[0] ?? {};
    const { server, fsync } = await ask(
      `SELECT current_setting('server_version') AS server, current_setting('fsync') AS fsync`,
    );
    const known = { place, server: String(server), keepsWrites: fsync === 'on' };
    const { there } = await ask('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.schema_version`]);
    if (!there) return { ...known, version: null, hasKey: true, strange: [] };
    const { version } = await ask(`SELECT version FROM ${schema}.schema_version WHERE part = 'control'`);
    const { origin, vkey } = await ask(`SELECT origin, vkey FROM ${schema}.ledger_head`);
    const own = key.read(false);
    const hasKey = !vkey || (own !== null && vkeyOf(String(origin), own) === vkey);
    const isOther = async (table: string, mark: string | null): Promise<boolean> => {
      const { there: made } = await ask('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.${table}`]);
      const { mark: kept } = made ? await ask(`SELECT mark FROM ${schema}.${table}`) : {};
      return kept !== undefined && mark !== null && kept !== mark;
    };
    const strange = [
      ...((await isOther('api_secret', marks.access)) ? ['access.key'] : []),
      ...((await isOther('subject_secret', marks.subjects)) ? ['subjects.key'] : []),
    ];
    return { ...known, version: version === undefined ? null : Number(version), hasKey, strange };
  } catch (error) {
    throw storeFailure(place, error);
  } finally {
    await client.end().catch(() => undefined);
  }
};
