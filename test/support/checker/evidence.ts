/** What the checker looks at, read from the files of a home by itself: it shares no code with those who wrote them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { LedgerRow, ServiceState } from '../../../contracts/traffic.ts';

export interface Served {
  readonly at: number;
  readonly service: string;
  readonly variant: string;
  readonly latencyMs: number;
  readonly error: string | null;
}
export interface Registered {
  readonly id: string;
  readonly service: string;
  readonly origin: string;
}
export interface Evidence {
  /** In the order of seq. */
  readonly ledger: readonly LedgerRow[];
  readonly services: readonly ServiceState[];
  readonly variants: readonly Registered[];
  readonly served: readonly Served[];
}

export const readEvidence = (home: string): Evidence => {
  const control = rowsOf(join(home, '.pawl', 'control.db'));
  const metrics = rowsOf(join(home, '.pawl', 'metrics.db'));
  return {
    ledger: control('SELECT * FROM ledger ORDER BY seq').map(
      ({ actor, body, ...row }) => ({ ...row, actor: parsed(actor), body: parsed(body) }) as unknown as LedgerRow,
    ),
    services: control('SELECT * FROM services').map(
      ({ arms, ...row }) => ({ ...row, arms: parsed(arms) }) as unknown as ServiceState,
    ),
    variants: control('SELECT id, service, origin FROM variants') as unknown as Registered[],
    served: metrics(
      'SELECT at, service, variant, latency_ms AS latencyMs, error FROM queries ORDER BY at',
    ) as unknown as Served[],
  };
};

type Row = Record<string, SQLOutputValue>;

const rowsOf =
  (path: string) =>
  (sql: string): Row[] => {
    if (!existsSync(path)) return [];
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      return db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      db.close();
    }
  };

const parsed = (text: SQLOutputValue | undefined): unknown => JSON.parse(String(text));
