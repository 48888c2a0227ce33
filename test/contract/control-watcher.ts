/**
 * A process of its own that looks at what serves, as a gateway does, until its stdin ends. Each state that is another than
 * the one before goes to stdout, as JSON; the first one always.
 */
import { writeSync } from 'node:fs';
import { postgresControl } from '../../adapters/control/postgres.ts';
import { ledgerKeyFor } from '../../adapters/keys/ledger-key.ts';

const [address = '', database = ''] = process.argv.slice(2);
const store = postgresControl({ address, key: ledgerKeyFor(database) });
let told = '';
let ending = false;
process.stdin.on('end', () => {
  ending = true;
});
process.stdin.resume();
for (let last = false; !last; ) {
  last = ending; // One look after the end, so that the last state is among those told.
  const seen = JSON.stringify(await store.state('docs'));
  if (seen !== told) writeSync(1, `${seen}\n`);
  told = seen;
}
store.close();
