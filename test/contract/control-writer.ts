/**
 * A process of its own that changes the control store of a home, or of an address: one grant for each key, each told on
 * stdout once it is known.
 */
import { writeSync } from 'node:fs';
import { postgresControl } from '../../adapters/control/postgres.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { ledgerKeyFor } from '../../adapters/keys/ledger-key.ts';
import { PawlError } from '../../contracts/failures.ts';

const [path = '', keys = '', address] = process.argv.slice(2);
const store = address === undefined ? sqliteControl(path) : postgresControl({ address, key: ledgerKeyFor(path) });
for (const key of JSON.parse(keys) as string[]) {
  const actor = { kind: 'cycle', name: 'hammer' };
  const answer = await untilItsTurn(() =>
    store.grant({ key, service: 'docs', cycle: 'hammer', actor, reason: 'hammering' }),
  );
  writeSync(1, `${key} ${answer.outcome}\n`);
}
store.close();

/** As every caller does: SQLite gives turns to whoever comes at the right moment, not to whoever has waited longest. */
async function untilItsTurn<T>(change: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof PawlError) || error.type !== 'StoreBusy') throw error;
    }
  }
}
